"""Every layer and option in real TF.js, and random architectures of them: the same answer, or a refusal."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tfjs_random import STEPS

PROGRAM = Path(__file__).parent / "tfjs_matrix.py"


@st.composite
def architectures(draw: st.DrawFn) -> tuple[list[tuple[str, int, bool]], bool]:
    """(name of a step, its number, a residual connection?) for each step, and whether all is called twice."""
    step = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 5), st.booleans())
    return draw(st.lists(step, max_size=6)), draw(st.booleans())


def drawn(count: int) -> list[Any]:
    """Let hypothesis draw all architectures first, so that a single Node process can run them."""
    found = []

    @settings(max_examples=count, derandomize=True, deadline=None, database=None)
    @given(architectures())
    def collect(architecture: Any) -> None:
        found.append(architecture)

    collect()
    return found


def test_each_model_is_equal_in_tfjs_or_refused_by_name(tmp_path: Path) -> None:
    random = drawn(60)
    assert len({name for steps, _ in random for name, _, _ in steps}) == len(STEPS)
    (tmp_path / "random.json").write_text(json.dumps(random))
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "numpy"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    counts = f"exported and equal: {result['equal']}, refused by name: {result['refused']}"
    print(f"{counts}, wrong: {len(result['wrong'])}; random and equal: {len(random)}")
    assert not result["wrong"]
    assert {"MobileNetV2", "ResNet50"} <= set(result["names"])
    assert result["equal"] >= 300
    assert result["refused"] >= 50

"""Mutation score of the gates and the limits: `python tools/mutants.py [SAMPLE] [SEED] [MODULE ...]`.

Cosmic Ray's operators change one place of a module, such as `<` to `<=` or `and` to `or`; the tests of the module must
notice. Each mutant runs in a fork of a process that has imported Keras and TensorFlow, but not the module. SAMPLE is
how many mutants of each module are tried, drawn at random; 0 tries all. Prints those that survive, and the score.
"""

import ast
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

GATE = (
    "tests/formats/saving/test_safe_config.py",
    "tests/formats/saving/test_formats_hostile.py",
    "tests/test_limits.py",
)
TESTS = {  # module -> the tests that must notice
    "study_keras.limits": ("tests/test_limits.py",),
    "study_keras.zip_archive": ("tests/test_zip_archive.py",),
    "study_keras.data.readers.npy": ("tests/data/test_hostile_arrays.py", "tests/data/test_data.py"),
    "study_keras.formats.saving.hdf5_sizes": ("tests/formats/saving/test_hdf5_sizes.py",),
    "study_keras.formats.saving.safe_config": GATE,
    "study_keras.runtimes.graph_gate": ("tests/runtimes/test_graph_gate.py",),
    "study_keras.runtimes.tfjs_folder": ("tests/formats/tfjs/test_hostile_folders.py",),
}
SECONDS = 60  # for the tests of one mutant; an endless one is noticed
SKIPPED = ("core/VariableReplacer", "core/VariableInserter", "core/ExceptionReplacer")
# Of the ways to replace a comparison, the opposite and the neighbour; of the others hardly any goes unnoticed.
COMPARISONS = ("Eq_NotEq", "NotEq_Eq", "Lt_GtE", "Lt_LtE", "LtE_Gt", "LtE_Lt", "Gt_LtE", "Gt_GtE", "GtE_Lt", "GtE_Gt",
               "Is_IsNot", "IsNot_Is", "In_NotIn", "NotIn_In")  # fmt: skip


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield what changed, and the source of each mutant."""
    plain = ast.dump(without_words(ast.parse(source)))
    for name in operator_names():
        kind = name.removeprefix("core/ReplaceComparisonOperator_")
        if name in SKIPPED or (kind != name and kind not in COMPARISONS):
            continue
        for occurrence in range(10_000):
            mutated = mutate_code(source, get_operator(name)(), occurrence)
            if mutated is None:
                break
            try:
                if ast.dump(without_words(ast.parse(mutated))) != plain:
                    yield f"{name.removeprefix('core/')} {changed_line(source, mutated)}", mutated
            except SyntaxError:
                continue


def without_words(tree: ast.AST) -> ast.AST:
    """Remove annotations and the messages of errors, which no test is meant to hold word by word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(0)
        elif isinstance(node, ast.JoinedStr):
            node.values = []
    return tree


def changed_line(source: str, mutated: str) -> str:
    pairs = zip(source.splitlines(), mutated.splitlines(), strict=False)
    return next((f"line {at}: {new.strip()}" for at, (old, new) in enumerate(pairs, 1) if old != new), "a line is gone")


def is_noticed(module: str, source: str) -> bool:
    """Run the tests of ``module`` with another source in a fork; return whether one fails."""
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            load(module, source)
            import pytest

            code = pytest.main(
                ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not training", *TESTS[module]]
            )
        except BaseException:
            code = 1
        os._exit(int(code))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def load(module: str, source: str) -> None:
    """Import ``module`` from another source."""
    spec = importlib.util.find_spec(module)
    made = importlib.util.module_from_spec(spec)
    sys.modules[module] = made
    exec(compile(source, spec.origin, "exec"), made.__dict__)
    parent, _, name = module.rpartition(".")
    setattr(importlib.import_module(parent), name, made)


def main(sample: int, seed: int, modules: list[str]) -> None:
    os.chdir(ROOT)
    import h5py  # noqa: F401
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    total = noticed = 0
    for module in modules:
        source = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
        if is_noticed(module, source):
            raise SystemExit(f"the tests of {module} fail without a mutation")
        found = list(mutants(source))
        chosen = random.Random(seed).sample(found, min(sample or len(found), len(found)))
        survivors = [what for what, mutated in chosen if not is_noticed(module, mutated)]
        total, noticed = total + len(chosen), noticed + len(chosen) - len(survivors)
        print(f"{module}: {len(chosen) - len(survivors)} of {len(chosen)} noticed, of {len(found)}", flush=True)
        for what in survivors:
            print(f"    survives: {what}", flush=True)
    print(f"mutation score: {noticed} of {total}, {100 * noticed / max(total, 1):.1f} %")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    names = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    main(*(numbers + [60, 0][len(numbers) :]), names or list(TESTS))

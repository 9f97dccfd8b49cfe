"""Time and memory of ``export_tfjs`` for the tutorial's network and ResNet50.

Usage: python benchmarks/tfjs_export.py
"""

import os
import tempfile
import time
import tracemalloc
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from study_keras.formats.tfjs import export_tfjs


def mlp() -> keras.Model:
    hidden = [keras.layers.Flatten(), keras.layers.Dense(128, "relu"), keras.layers.Dropout(0.2)]
    return keras.Sequential([keras.Input((28, 28)), *hidden, keras.layers.Dense(10, "softmax")])


def resnet50() -> keras.Model:
    return keras.applications.ResNet50(weights=None)


def resident() -> int:
    """Return the peak memory of this process in bytes, on Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for build, limit in ((mlp, 0.1), (resnet50, 5.0)):
            model = build()
            size = 4 * model.count_params()
            before, started = resident(), time.perf_counter()
            export_tfjs(model, Path(folder) / "first.tfjs")
            seconds, grown = time.perf_counter() - started, resident() - before
            tracemalloc.start()  # traces NumPy's arrays too; too slow for measuring the time
            export_tfjs(model, Path(folder) / "second.tfjs")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            print(
                f"{build.__name__}: {seconds:.3f} s (limit {limit}), {size / 1e6:.1f} MB of weights, "
                f"peak {peak / size:.2f} times the weights besides the model (limit 2), "
                f"process grew by {grown / 1e6:.1f} MB"
            )
            if seconds > limit or max(peak, grown if size > 1e7 else 0) > 2 * size + 4e6:
                raise SystemExit("over the limit")


if __name__ == "__main__":
    main()

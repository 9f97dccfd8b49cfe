"""``hello-mnist predict`` from start to answer, compared with Keras on TensorFlow and onnxruntime.

    make bench, or: python benchmarks/predict.py

Each way is a subprocess that reads the same photo with the same preparation and the shipped network for single digits;
only that network's runtime differs. One more reads a photo of 12 megapixels, as a phone takes them. The ways alternate
for several rounds; the output is the median and the range of the seconds, and the median of each round's ratio to
``hello-mnist predict``.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROUNDS = 7
READ = (
    "import sys; from study_keras.vision.classifier import load_network; "
    "from study_keras.vision.recognize import recognize; print(recognize(sys.argv[1], load_network(sys.argv[2])))"
)


def prepare(folder: Path) -> tuple[Path, Path]:
    """Convert the network for the other runtimes, and write photos of four digits: 600 x 200 and 4000 x 3000."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import numpy as np
    from PIL import Image

    from study_keras import formats, mnist
    from study_keras.vision.classifier import SHIPPED

    model = formats.load_tfjs(SHIPPED.with_name("digits.tfjs"))
    formats.save(model, folder / "digits.keras")
    formats.save(model, folder / "digits.onnx")
    ink = np.zeros((200, 600))
    for place, digit in enumerate(mnist.load_data()[1][0][:4]):
        ink[44:156, 20 + 145 * place : 132 + 145 * place] = np.kron(digit, np.ones((4, 4))) / 255
    light = 0.85 - 0.1 * np.linspace(-1, 1, 600) + np.random.default_rng(1).normal(0, 0.02, ink.shape)
    photo, large = folder / "photo.jpg", folder / "large.jpg"
    picture = Image.fromarray(np.round(255 * (light * (1 - 0.7 * ink)).clip(0, 1)).astype(np.uint8))
    picture.save(photo)
    page = Image.fromarray(np.random.default_rng(2).normal(215, 5, (3000, 4000)).astype(np.uint8))
    page.paste(picture.resize((3000, 1000), Image.Resampling.BICUBIC), (500, 1000))
    page.convert("RGB").save(large, quality=90)
    return photo, large


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, large = prepare(folder)
        python = sys.executable
        ways = {
            "hello-mnist predict (LiteRT)": [python, "-m", "study_keras.cli", "predict", photo],
            "the same, a JPEG of 12 megapixels": [python, "-m", "study_keras.cli", "predict", large],
            "onnxruntime": [python, "-c", READ, photo, folder / "digits.onnx"],
            "Keras on TensorFlow": [python, "-c", READ, photo, folder / "digits.keras"],
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, command in ways.items():
                started = time.perf_counter()
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                seconds[way].append(time.perf_counter() - started)
                assert "7210" in done.stdout, done.stdout
    print(f"{ROUNDS} rounds, {os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
    base = seconds["hello-mnist predict (LiteRT)"]
    for way, taken in seconds.items():
        ratio = median(one / other for one, other in zip(taken, base, strict=True))
        print(f"{way:34}{median(taken):6.2f} s  ({min(taken):.2f} to {max(taken):.2f})  {ratio:5.1f} x")


if __name__ == "__main__":
    main()

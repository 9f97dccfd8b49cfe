"""The card of the networks in the package: measured figures as JSON, and the same for people."""

import hashlib
from dataclasses import replace
from pathlib import Path

import corruptions
from finder import figures
from synthetic import HELD_OUT, fonts

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.train import checkpoint
from study_keras.vision import closer, detection, marks, overlaps, prepare, recognize, rivals, traces, votes
from study_keras.vision.classifier import load_network

LARGEST = 700_000  # bytes of all files together: the page loads half of them, and the package all
PREPARED = 1_000  # test images that are measured after `prepare`
# What was chosen on the held-out images: the module, and its constants.
THRESHOLDS = {
    closer: ("SMALL_DIGITS", "AROUND"),
    detection: ("NO_DIGIT", "CERTAIN"),
    recognize: ("DOUBTFUL", "SURER", "ALONE", "TOGETHER", "LIKELY"),
    prepare: ("FAINT",),
    traces: ("CLEAR", "FAINT", "SHORT", "FAINTEST"),
    votes: ("CLOSER", "WIDER", "SHARE"),
    overlaps: ("SAME", "WIDTH"),
    rivals: ("SAME_INK", "SAME_BOX", "AROUND", "GIVES_WAY", "EACH"),
    marks: ("FOUND", "AGAIN", "IS_DIGIT", "LARGER", "DOUBTFUL_SCORE", "DOUBTFUL_DIGIT", "MOST"),
}


def card(networks, exports, folder):
    """Measure the LiteRT models in ``folder``, and return the card.

    Args:
        networks: by name, the number of weights and the settings of the training.
        exports: by name, the batch size of the .tflite file and the dtype of the .tfjs copy.
        folder: the exports, for each name a .tflite file and a .tfjs folder.

    Raises:
        ValueError: the files are too large.
    """
    stored = [
        path for name in networks for path in (folder / f"{name}.tflite", *sorted((folder / f"{name}.tfjs").iterdir()))
    ]
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in stored}
    if sum(sizes.values()) >= LARGEST:
        raise ValueError(f"the files have {sum(sizes.values()):,} bytes; expected less than {LARGEST:,}")
    test = mnist.load_data()[1]
    digits = replace(load_network(folder / "digits.tflite"), shipped=True)  # the reader votes with it
    described = checkpoint.describe_training(mnist.load_data(), {})
    return {
        "command": "make model",
        "held_out": HELD_OUT,
        "fonts": len(fonts.handwritten()),
        **{part: described[part] for part in ("data", "versions")},
        "networks": {name: {**settings, "page_weights": exports[name][1]} for name, settings in networks.items()},
        "thresholds": thresholds(),
        "accuracy": accuracy_of(digits, *test),
        "pages": figures.measure(digits, marks.load_finder(folder)),
        "total_bytes": sum(sizes.values()),
        "bytes": sizes,
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sizes},
    }


def thresholds():
    """Return what ``THRESHOLDS`` names, by module and name."""
    return {
        module.__name__.rpartition(".")[2]: {name: getattr(module, name) for name in names}
        for module, names in THRESHOLDS.items()
    }


def accuracy_of(network, images, labels):
    """Return the accuracy on the test set and its variations, unprepared and prepared."""
    images = scale(images)

    def accuracy(pictures):
        return round(float((network(pictures).argmax(axis=1) == labels[: len(pictures)]).mean()), 4)

    unprepared = {name: accuracy(pictures) for name, pictures in corruptions.corrupt(images).items()}
    few = corruptions.corrupt(images[:PREPARED])
    prepared = {name: accuracy(corruptions.prepared(pictures)) for name, pictures in few.items()}
    return {"test": accuracy(images), "as_they_are": unprepared, "prepared": prepared}


def text(card):
    """Return the card as Markdown: ``model_card.md`` with the card's figures."""
    accuracy, networks = card["accuracy"], card["networks"]
    values = {
        "rows": "\n".join(
            f"| {name} | {100 * value:.2f} % | {100 * accuracy['prepared'][name]:.2f} % |"
            for name, value in accuracy["as_they_are"].items()
        ),
        "sizes": "\n".join(_size_row(name, card) for name in networks),
        "kilobytes": round(card["total_bytes"] / 1000),
        "limit": LARGEST // 1000,
        "test": 100 * accuracy["test"],
        "best": 100 * networks["digits"]["history"][-1],
        "versions": ", ".join(f"{name} {number}" for name, number in card["versions"].items()),
        "sha256": card["data"]["sha256"],
        "held_out": card["held_out"],
        "fonts": card["fonts"],
        **card["thresholds"],
        **networks,
        "pages": {name: value if isinstance(value, int) else 100 * value for name, value in card["pages"].items()},
    }
    return Path(__file__).with_suffix(".md").read_text().format(**values)


def _size_row(name, card):
    sizes = [
        sum(size for path, size in card["bytes"].items() if path.startswith(name + end))
        for end in (".tflite", ".tfjs/")
    ]
    network = card["networks"][name]
    tflite, tfjs = (f"{size / 1000:.0f} kB" for size in sizes)
    return f"| {name} | {network['weights']:,} | {tflite}, float16 | {tfjs}, {network['page_weights']} |"

"""How well handwritten digits in pictures are read, kind by kind, and what the tutorials' plain recipe reads of them.

    make bench, or: python benchmarks/reading.py --only "ruled|box" --pictures output/pictures

``recognize`` with the shipped network reads each picture: right is the exact text, so a digit too many is an error, and
so is a picture that is refused. The plain recipe gives the same network one image: grey, 28 x 28, inverted if the paper
is light, divided by 255. "digits" is 1 - edit distance / digits. The digits are MNIST's test digits, the same in each
row, on pages made by ``reading_pictures.py``. A row has its own random numbers, so that ``--only`` changes nothing.

Pictures by others are measured too where they are, in ``../shared/handwriting`` (``labels.csv``: file, label, origin,
kind). One origin may have half of all pictures: "mean of origins" counts each origin once.

The intervals are Wilson's, 95 %. Their trials are pictures, also for the fraction of digits, since the digits of one
picture fail together; for a mean of origins they are the origins, since the next picture may be of another one.
"""

import argparse
import csv
import io
import json
import os
import re
import sys
import time
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from reading_figures import figures
from reading_pictures import JUNK, LINES, SINGLES, fonts, typed
from rich.console import Console
from rich.table import Table

from study_keras import files, mnist
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_image
from study_keras.vision.marks import load_finder
from study_keras.vision.recognize import recognize

SHARED = Path(__file__).resolve().parents[2] / "shared/handwriting"


# The rows: lists of (label, picture, origin)


def rows_of(count, seed):
    """Return a function for each row by its group and name; it returns the row's ``(label, picture, origin)``."""
    images, labels = mnist.load_data()[1]
    chosen = np.random.default_rng(seed).permutation(len(images))

    def singles(take):
        return lambda rng: [(str(labels[one]), take(images[one], rng), "") for one in chosen[:count]]

    def lines(take):
        sixes = np.resize(chosen, (count, 6))
        return lambda rng: [("".join(map(str, labels[six])), take(images[six], rng), "") for six in sixes]

    def font(path):
        def make(rng):
            texts = ["".join(map(str, rng.integers(0, 10, 6))) for _ in range(-(-count // 2))]
            return [(text, typed(text, path, rng), "") for text in texts]

        return make

    def junk(take):
        return lambda rng: [("", take(rng), "") for _ in range(count)]

    rows = {("one digit", name): singles(take) for name, take in SINGLES.items()}
    rows |= {("lines", name): lines(take) for name, take in LINES.items()}
    rows |= {("six digits typed", name): font(path) for name, path in fonts().items()}
    rows |= {("no digit", name): junk(take) for name, take in JUNK.items()}
    return rows | by_others()


def by_others():
    """Return the rows of the pictures by others, and all kinds of one digit and of several together; none if absent."""
    if not (SHARED / "labels.csv").exists():
        return {}
    kinds = defaultdict(list)
    with (SHARED / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            picture = (row["label"].replace("/", "\n"), SHARED / "pictures" / row["file"], row["origin"])
            several = row["kind"].startswith("several")
            kinds[row["kind"]].append(picture)
            if "with box" not in row["kind"]:
                kinds["all of several digits" if several else "all of one digit, without boxes"].append(picture)
    order = sorted(kinds, key=lambda kind: (kind.startswith("all"), kind))
    return {("by others", kind): lambda _, kind=kind: kinds[kind] for kind in order}


# The readers


def read(picture, network, finder):
    """Return the text that ``recognize`` finds, and None if it refuses the picture."""
    try:
        return recognize(picture, network, finder=finder)["text"]
    except ValueError:
        return None


def read_plainly(picture, network):
    """Return what the tutorials' recipe reads: the whole picture is one digit."""
    grey = Image.fromarray(np.round(255 * read_image(picture)).astype(np.uint8)).resize((28, 28))
    image = np.asarray(grey, np.float32) / 255
    image = 1 - image if np.median(image) > 0.5 else image
    return str(network(image[None]).argmax())


def measure(rows, seed, folder=None):
    """Return the figures of each row; save a sheet of its first pictures in ``folder``."""
    network, finder, results = load_network(), load_finder(), {}
    for (group, name), make in rows.items():
        print(f"{group}: {name}", file=sys.stderr)
        pictures = make(np.random.default_rng([seed, zlib.crc32(name.encode())]))
        started = time.perf_counter()
        texts = [read(picture, network, finder) for _, picture, _ in pictures]
        seconds = time.perf_counter() - started
        one_digit = all(len(label) == 1 for label, _, _ in pictures)
        plain = [read_plainly(picture, network) for _, picture, _ in pictures] if one_digit else None
        row = figures(pictures, texts, plain) | {"ms a picture": round(1000 * seconds / len(pictures), 1)}
        results[group, name] = row
        if folder:
            save_sheet(pictures, texts, folder / f"{re.sub('[^a-z0-9]+', '_', f'{group} {name}'.lower())}.png")
    return results


# What is shown


def save_sheet(pictures, texts, path):
    """Save the first 30 pictures, each with the answer under it."""
    wide = max(len(label.split("\n")[0]) for label, _, _ in pictures) > 1
    width, height, columns = (330, 120, 3) if wide else (110, 130, 10)
    shown = list(zip(pictures, texts, strict=True))[:30]
    sheet = Image.new("RGB", (columns * width, -(-len(shown) // columns) * height), (40, 60, 110))
    draw = ImageDraw.Draw(sheet)
    for number, ((label, picture, _), text) in enumerate(shown):
        left, top = number % columns * width, number // columns * height
        with Image.open(picture if isinstance(picture, Path) else io.BytesIO(picture)) as image:
            scale = min((width - 6) / image.width, (height - 24) / image.height)
            size = max(1, round(scale * image.width)), max(1, round(scale * image.height))
            sheet.paste(image.convert("RGB").resize(size), (left + 3, top + 3))
        answer = "refused" if text is None else text.replace("\n", "/") or "no digit"
        colour = "white" if (text or "") == label else "orange"
        draw.text((left + 4, top + height - 18), answer, colour)
    files.ensure_writable_dir(path.parent)
    sheet.save(path)


def cell(figure):
    """Return a fraction and its interval in percent: "98.5 (96.1-99.6)"."""
    if figure is None:
        return ""
    middle, low, high = (100 * one for one in figure)
    return f"{middle:.1f} ({low:.0f}-{high:.0f})"


def table_of(results):
    """Return the table: a section for each group, percents with their intervals."""
    table = Table(box=None, padding=(0, 1, 0, 0))  # fits into 80 columns
    table.add_column("", overflow="fold")
    for heading in ("n", "exact", "digits", "plain recipe"):
        table.add_column(heading, justify="right", no_wrap=True)
    last = None
    for (group, name), row in results.items():
        if group != last:
            table.add_section()
            note = ", % taken for a digit" if group == "no digit" else ""
            table.add_row(f"[bold]{group}{note}[/bold]")
            last = group
        first = row["taken for a digit" if group == "no digit" else "exact"]
        table.add_row(name, f"{row['pictures']}", cell(first), cell(row.get("digits")), cell(row.get("plain recipe")))
        if "origins" in row:
            by_origin = cell(row["mean of origins"]), "", cell(row.get("plain recipe, mean of origins"))
            table.add_row("  mean of origins", f"{row['origins']}", *by_origin)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--n", type=int, default=200, metavar="N", help="pictures a row, half of it a font (default: 200)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of digits and pages (default: 1)")
    parser.add_argument("--only", metavar="PATTERN", help='rows whose "group: name" has this regular expression')
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: output/bench_reading.json")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="save a sheet of pictures of each row here")
    options = parser.parse_args()
    started, rows = time.perf_counter(), rows_of(options.n, options.seed)
    rows = {key: make for key, make in rows.items() if re.search(options.only or "", ": ".join(key))}
    if not rows:
        parser.error(f"--only {options.only}: no such row")
    path = options.json or files.output_dir() / "bench_reading.json"
    results = measure(rows, options.seed, options.pictures)
    machine = {"processors": os.cpu_count(), "python": sys.version.split()[0]}
    listed = [{"group": group, "name": name, **row} for (group, name), row in results.items()]
    files.write(
        path, json.dumps({"n": options.n, "seed": options.seed, "machine": machine, "rows": listed}, indent=1) + "\n"
    )
    Console().print(table_of(results))
    seconds = time.perf_counter() - started
    print(f"Percent (95 % interval), seed {options.seed}, {os.cpu_count()} processors, {seconds:.0f} s; all: {path}")


if __name__ == "__main__":
    main()

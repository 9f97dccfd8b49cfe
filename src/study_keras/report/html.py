"""A report on a model as one HTML file: its layers, training, mistakes and origin.

The file needs no network and no server: it embeds its pictures and has no script.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from html import escape as escape_html
from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from study_keras import files
from study_keras.data.dataset import Dataset
from study_keras.plain_text import printable
from study_keras.report import model_plots, plots

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 1.5rem 0; }
figure img { max-width: 100%; border-radius: 6px; background: white; }
figcaption { opacity: 0.75; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.9rem 0.25rem 0; text-align: left; border-bottom: 1px solid #8884; }
.scroll { overflow-x: auto; }
code { overflow-wrap: anywhere; }
.result { font-size: 1.25rem; }
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{name}</title>
<style>{style}</style>
<h1>{name}</h1>
<p class="result">{summary}</p>
{sections}
</html>
"""


def write_report(
    path: str | Path, model: keras.Model, dataset: Dataset, result: Mapping[str, Any], metadata: Mapping[str, Any]
) -> Path:
    """Write the report on ``model`` to ``path``, atomically, and return the path.

    Args:
        dataset: the one that ``result`` was measured on.
        result: of ``evaluation.evaluate`` on the test part.
        metadata: the ``name`` of the model, the ``command`` of this report, and everything else in the metadata that
            was saved with the model, if there is any: settings, data, versions, history, classes.

    Raises:
        OSError: the file cannot be written.
    """
    sections = [
        _section("The model", _structure(model)),
        _section("The training", _training(metadata)),
        _section("The test", _test(model, dataset, result, metadata)),
        _section("How it was made", _origin(metadata)),
    ]
    summary = (
        f"reads {result['accuracy']:.2%} of {result['images']:,} test images right: "
        f"{len(result['mistakes']):,} mistakes, loss {result['loss']:.4f} nats"
    )
    page = PAGE.format(name=escape(metadata["name"]), style=STYLE, summary=summary, sections="".join(sections))
    return files.write(path, page)


def _structure(model: keras.Model) -> str:
    if not hasattr(model, "layers"):
        return "<p>A SavedModel for inference: its layers are not known.</p>"
    return _table(("layer", "kind", "output", "weights"), _layers(model))


def _layers(model: keras.Model) -> Iterable[tuple[str, ...]]:
    for layer in model.layers:
        shape = str(getattr(layer.output, "shape", ""))
        yield layer.name, type(layer).__name__, shape, f"{layer.count_params():,}"
    yield "all", "", "", f"{model.count_params():,}"


def _training(metadata: Mapping[str, Any]) -> str:
    if "history" not in metadata:
        return "<p>How this model was trained is not known: there is no metadata beside the file.</p>"
    history = metadata["history"]
    rows = [
        (str(epoch), *(f"{value:.4f}" for value in row))
        for epoch, row in enumerate(zip(*history.values(), strict=True), start=1)
    ]
    return (
        _table(metadata["settings"], [[str(value) for value in metadata["settings"].values()]])
        + _figure(plots.history(history), "Loss and accuracy after each epoch.")
        + _table(("epoch", *history), rows)
    )


def _test(model: keras.Model, dataset: Dataset, result: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    (x_train, y_train), (images, labels) = dataset
    probabilities, names = result["probabilities"], metadata.get("classes")
    shown: list[tuple[Callable[[], Figure], str]] = [
        (lambda: plots.mistakes(images, labels, probabilities, names), "The mistakes, most confident first."),
        (
            lambda: plots.confusion(labels, probabilities, names),
            "Predicted and true classes; the shade counts only mistakes.",
        ),
        (lambda: plots.accuracy_per_class(labels, probabilities, names), "The accuracy of each class."),
        (
            lambda: model_plots.first_weights(model),
            "The weights of the first layer: ink on orange increases a unit's output.",
        ),
        (
            lambda: model_plots.activations(model, images[0], names),
            "The outputs of each layer for the first test image.",
        ),
        (lambda: plots.samples(x_train, y_train, names), "Training images."),
    ]
    figures = []
    for draw, caption in shown:
        try:
            figures.append(_figure(draw(), caption))
        except ValueError as reason:  # such as a first layer whose weights are not images
            figures.append(f"<p>Not shown: {escape(caption)} {escape(reason)}</p>")
    return "".join(figures)


def _origin(metadata: Mapping[str, Any]) -> str:
    rows = [("this report", f"<code>{escape(metadata['command'])}</code>")]
    if "trained_by" in metadata:
        rows.append(("the model", f"<code>{escape(metadata['trained_by'])}</code>"))
    for name in ("data", "versions"):
        for key, value in metadata.get(name, {}).items():
            rows.append((escape(f"{name}: {key}"), f"<code>{escape(value)}</code>"))
    return "<table>" + "".join(f"<tr><th>{name}<td>{value}" for name, value in rows) + "</table>"


def escape(text: object) -> str:
    """Return text as HTML that shows it."""
    return escape_html(printable(text))


def _section(title: str, content: str) -> str:
    return f'<section id="{title.lower().replace(" ", "-")}"><h2>{escape(title)}</h2>{content}</section>\n'


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) for row in rows)
    return f'<div class="scroll"><table><tr>{top}{body}</table></div>'


def _figure(figure: Figure, caption: str) -> str:
    content = base64.b64encode(plots.png(figure)).decode()
    text = escape(caption)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{content}"><figcaption>{text}</figcaption></figure>'

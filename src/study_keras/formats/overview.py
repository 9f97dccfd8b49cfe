"""The table of formats for people: what each keeps, who reads it, and whether its runtime is here."""

from typing import Any

from study_keras.formats.table import FORMATS, Format
from study_keras.runtimes import installed

OTHER_NAMES = (".hdf5", ".yml", ".index", ".data-00000-of-00001")  # which other programs give the same files
VARIANTS = {"tfjs_graph": "tfjs", "keras2_saved_model": "saved_model"}  # with the name of another; the content decides
HEADINGS = ("format", "suffix", "what it keeps", "written for", "reads")


def overview() -> list[dict[str, Any]]:
    """Return a row for each format: whole models first, then weights, then models for inference.

    Returns:
        ``name``, as in ``convert --json``; ``title``; ``suffixes``; ``keeps``; ``read_by``: who reads what is written,
        None where nothing is; ``reads``: whose files are read into Keras here, None where none are; ``runtimes``: of
        each that runs it ``name``, ``version``, None where it is not installed, and then ``install``: what to type.
    """
    found = {name: _runtime(name) for name in installed.RUNTIMES}
    ordered = sorted(
        FORMATS, key=lambda item: 0 if "structure" in item.keeps else 2 if "inference" in item.keeps else 1
    )
    return [
        {
            "name": item.name,
            "title": item.title,
            "suffixes": _suffixes(item),
            "keeps": list(item.keeps),
            "read_by": item.read_by or None,
            "reads": item.reads or None,
            "runtimes": [found[name] for name in (*item.runtimes, *item.also)],
        }
        for item in ordered
    ]


def markdown() -> str:
    """Return the table as Markdown: what is the same on every machine, so without the versions of the runtimes."""
    cells = [
        (
            row["title"],
            ", ".join(f"`{suffix}`" for suffix in row["suffixes"]),
            ", ".join(row["keeps"]),
            row["read_by"] or "no",
            row["reads"] or "no",
        )
        for row in overview()
    ]
    return "\n".join(f"| {' | '.join(row)} |" if row else "|---|---|---|---|---|" for row in (HEADINGS, (), *cells))


def _suffixes(item: Format) -> list[str]:
    named = next(other for other in FORMATS if other.name == VARIANTS.get(item.name, item.name))
    return sorted(suffix for suffix in named.suffixes if suffix not in OTHER_NAMES)


def _runtime(name: str) -> dict[str, str | None]:
    version = installed.version(name)
    install = {} if version else {"install": installed.install_command(name)}
    return {"name": installed.RUNTIMES[name].name, "version": version, **install}

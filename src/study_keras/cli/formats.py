"""The command ``formats``."""

from typing import Any

import click

from study_keras.cli.options import JSON
from study_keras.cli.shared import print_json, say


@click.command()
@click.option("--markdown", is_flag=True, help="Print the table as Markdown, without what is installed here.")
@JSON
def formats(markdown: bool, as_json: bool) -> None:
    """List the formats, and whether their runtimes are here.

    For each format its suffix, what it keeps of a model, who reads it, and the version of the runtime in which it is
    proven, or what to type to install that.

    Example: hello-mnist formats
    """
    from study_keras.formats import overview

    if markdown:
        return click.echo(overview.markdown())
    rows = overview.overview()
    if as_json:
        return print_json(rows)
    from rich.console import Console

    Console().print(_table(rows))
    for runtime in {runtime["name"]: runtime for row in rows for runtime in row["runtimes"]}.values():
        if not runtime["version"]:
            say(f"{runtime['name']} is missing; to install it: {runtime['install']}")
    return None


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="formats", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for name in ("suffix", "format", "keeps", "read by", "runtime here"):
        table.add_column(name, overflow="fold", no_wrap=name == "suffix")
    for row in rows:
        cells = (
            "\n".join(row["suffixes"]),
            row["title"],
            ", ".join(row["keeps"]),
            row["read_by"] or "not written",
            "\n".join(_words(runtime) for runtime in row["runtimes"]),
        )
        table.add_row(*map(Text, cells))  # rich takes a string for markup
    return table


def _words(runtime: dict[str, str | None]) -> str:
    return f"{runtime['name']} {runtime['version'] or 'is missing'}"

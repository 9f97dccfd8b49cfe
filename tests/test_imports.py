"""Imports between the rooms go one way, also those inside functions."""

import ast

from conftest import ROOT

SOURCE = ROOT / "src/study_keras"
# Each may import those below it; what stands on one line does not know the other.
ORDER = (
    "cli",
    "serve",
    "train",
    "report",
    "vision",
    "mnist formats",
    "runtimes",
    "data",
    "zip_archive processes jax_cache",
    "files limits startup page quiz",
    "stopping write_errors plain_text",
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms.split()}


def imported(path):
    """The rooms that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "study_keras":
            yield from [node.module.split(".")[1]] if "." in node.module else (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("study_keras."))


def test_imports_go_downwards():
    rooms = {path: path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in SOURCE.rglob("*.py")}
    rooms = {path: room for path, room in rooms.items() if "node_modules" not in path.parts and room != "__init__"}
    assert set(RANK) == {room for room in rooms.values() if not room.startswith("hello_mnist")}
    upwards = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path, room in rooms.items()
        for other in imported(path)
        if other != room and RANK.get(other, -1) <= RANK.get(room, -1)
    ]
    assert not upwards

"""The two READMEs say the same, and what they say is there."""

import re

import pytest
from conftest import ROOT

from study_keras.cli import cli

PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def skeleton(page):
    """What both languages share: heading levels, code without its comments, table shapes, links' targets."""
    text = page.read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {
        "headings": re.findall(r"^#+", prose, re.MULTILINE),
        "code": [re.sub(r" +#.*| {3,}.*", "", code) for _, code in blocks],
        "tables": [line.count("|") for line in prose.splitlines() if line.startswith("|")],
        "items": re.findall(r"^- \*\*(\w+)", prose, re.MULTILINE),
        "links": sorted({link.replace(".en.md", ".md") for link in re.findall(r"\]\((?!README)([^)]+)\)", prose)}),
    }


def test_the_two_languages_run_parallel():
    english, chinese = map(skeleton, PAGES)
    assert english == chinese


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (ROOT / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_verb_and_every_make_target_is_shown(page):
    text = page.read_text()
    for verb in cli.commands:
        assert f"hello-mnist {verb} " in text
    for target in re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE):
        assert target == "help" or f"make {target}" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tree_equals_the_disk(page):
    (tree,) = re.findall(r"^```\n(src/study_keras/\n.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    named, folder = set(), ROOT
    for line in tree.splitlines():
        path = line.split()[0]
        folder = ROOT / "src/study_keras" if line.startswith(" ") else ROOT
        found = set(folder.glob(path.rstrip("/")))
        assert found or path == "output/", path
        named |= found
    package = set((ROOT / "src/study_keras").iterdir())
    unnamed = {path.name for path in package - named} - {"__init__.py", "__pycache__", "py.typed"}
    assert not unnamed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dependency_has_its_reason(page):
    pyproject = (ROOT / "pyproject.toml").read_text()
    declared = set(re.findall(r'^    "([a-z][\w-]*)>=', pyproject, re.MULTILINE)) - {"tensorflow-cpu"}
    explained = {name.lower() for name in re.findall(r"\*\*([\w-]+)(?: 3)?\*\*", page.read_text())}
    assert declared <= explained, declared - explained


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_map_of_the_lessons_names_what_is_new_in_each(page):
    lessons = re.findall(
        r"^\| \[`(hello_mnist\w*\.py)`\]\(.*\) \| .* \| (.*) \| \d+ \|$", page.read_text(), re.MULTILINE
    )
    assert [name for name, _ in lessons] == sorted(path.name for path in (ROOT / "src/study_keras").glob("hello_*.py"))
    before = ""
    for name, calls in lessons:
        source = (ROOT / "src/study_keras" / name).read_text()
        for call in re.findall(r"`([\w.]+)`", calls):
            new = re.compile(rf"(?<![\w\"]){re.escape(call)}\b|\"{call}\"")
            assert new.search(source), call
            assert not new.search(before), call
        before += source
    text = page.read_text()
    assert text.index("(notes/study_keras/1_hello_mnist") < text.index("| [`hello_mnist.py`]")


def test_the_locks_name_no_host():
    for lock in (ROOT / "requirements").iterdir():
        assert "://" not in lock.read_text()
        assert lock.read_text().count("==") > 40


def test_a_lesson_stays_short():
    for lesson in (ROOT / "src/study_keras").glob("hello_mnist*.py"):
        assert len(lesson.read_text().splitlines()) <= 60, lesson.name

"""The pages for readers: English and Chinese have the same structure, and what they name exists."""

import pkgutil
import re
import shlex

import bench
import click
import pytest
from conftest import ROOT

from study_keras.cli.commands import cli
from study_keras.formats import overview

PACKAGE = ROOT / "src/study_keras"
NOTES = ROOT / "notes/study_keras"
README, CONTRIBUTING = ((ROOT / f"{name}.md", ROOT / f"{name}.zh-CN.md") for name in ("README", "CONTRIBUTING"))
COURSE = (NOTES / "1_hello_mnist.en.md", NOTES / "1_hello_mnist.md")  # test_notes.py checks the rest of it
# English and Chinese of each page.
PAIRS = [README, CONTRIBUTING]
PAIRS += [(page, NOTES / page.name.replace(".en.md", ".md")) for page in sorted(NOTES.glob("[!1]_*.en.md"))]
PAGES = [page for pair in PAIRS for page in pair]

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_contributing = pytest.mark.parametrize("page", CONTRIBUTING, ids=lambda page: page.name)


def prose(page):
    """The text of a page without its code blocks."""
    return FENCE.sub("", page.read_text())


def inline_code(page):
    """The pieces of code within the text."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def skeleton(page):
    """What both languages share: heading levels, code without its comments, table shapes, items, names, links."""
    text = prose(page)
    links = {re.sub(r"(\.en|\.zh-CN)?\.md$", "", link) for link in re.findall(r"\]\(([^)]+)\)", text)}
    return {
        "headings": re.findall(r"^#+", text, re.MULTILINE),
        "code": [(language, re.sub(r" +#.*| {3,}.*", "", code)) for language, code in FENCE.findall(page.read_text())],
        "tables": [line.count("|") for line in text.splitlines() if line.startswith("|")],
        "items": re.findall(r"^(- \*\*\w+|- |\d\. )", text, re.MULTILINE),
        "names": sorted(re.sub(r"(\.en|\.zh-CN)?\.md$", "", name) for name in inline_code(page)),
        "links": links,
    }


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].name)
def test_the_two_languages_run_parallel(pair):
    english, chinese = map(skeleton, pair)
    for part, value in english.items():
        assert value == chinese[part], part


@each_page
def test_links_exist_and_pictures_are_small(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).is_file(), target
            assert (page.parent / target).stat().st_size < 200_000, target


@each_page
def test_the_names_in_the_text_exist(page):
    rooms = "|".join(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()) + "|files"
    for name in inline_code(page):
        if re.fullmatch(rf"(study_keras\.)?({rooms})(\.\w+)+", name) and not name.endswith((".py", ".js")):
            assert pkgutil.resolve_name(f"study_keras.{name.removeprefix('study_keras.')}"), name


@pytest.mark.parametrize("page", [*PAGES, *COURSE], ids=lambda page: page.name)
def test_the_imports_from_this_package_work(page):
    for code in re.findall(r"(?:^|`)(from study_keras\S* import [\w, ]+)", page.read_text(), re.MULTILINE):
        exec(code, {})


@each_page
def test_the_paths_in_the_text_exist(page):
    commands = [
        line for language, code in FENCE.findall(page.read_text()) if language == "sh" for line in code.split("\n")
    ]
    words = {word for code in inline_code(page) + commands for word in code.partition(" #")[0].split()}
    for path in words:
        first = re.match(r"[\w.]+(?=/)", path)
        rooted = first and first[0] != "output" and any((base / first[0]).is_dir() for base in (ROOT, PACKAGE))
        if (rooted and not path.startswith(".venv/")) or re.fullmatch(r"(?!my_|_)[\w/]+\.(py|js|toml)", path):
            assert any((base / path).exists() for base in (ROOT, PACKAGE)), path


@each_page
def test_every_command_can_be_typed(page):
    blocks = [code for language, code in FENCE.findall(page.read_text()) if language == "sh"]
    commands = [line for code in blocks for line in code.splitlines()] + inline_code(page)
    for command in commands:
        if not re.match(r"hello-mnist \w|make \w", command):
            continue
        program, name, *arguments = shlex.split(command.partition(" < ")[0], comments=True)
        if program == "make":
            assert name in make_targets(), command
        else:
            verb = cli.commands[name]
            verb.make_parser(click.Context(verb)).parse_args(arguments)  # raises at an unknown option


def make_targets():
    """The targets that ``make`` alone prints."""
    return re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("language", [0, 1], ids=["English", "Chinese"])
def test_every_subcommand_and_every_page_is_shown(language):
    text = "".join(pair[language].read_text() for pair in PAIRS)
    for verb in cli.commands:
        assert f"hello-mnist {verb} " in text
    readme = README[language].read_text()
    for page in [COURSE, *PAIRS[1:]]:
        assert f"({page[language].relative_to(ROOT)})" in readme


@pytest.mark.parametrize("page", README, ids=lambda page: page.name)
def test_each_figure_of_the_readme_is_measured_by_make_bench_quick(page):
    (table,) = re.findall(
        r"^\|(?:[^|\n]*\|){2}(?: command | 命令 )\|\n\|---.*\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE
    )
    commands = [row.split("|")[-2].strip(" `") for row in table.splitlines()]
    assert len(commands) > 5
    measured = [part.command for part in bench.PARTS.values() if part.quick]
    for command in commands:
        assert any(one.startswith(command) for one in measured), command


@pytest.mark.parametrize("page", README, ids=lambda page: page.name)
def test_the_readme_stays_short_and_shows_lesson_0(page):
    assert len(page.read_text().splitlines()) <= 150
    (code,) = (code for language, code in FENCE.findall(page.read_text()) if language == "python")
    assert code in (PACKAGE / "hello_mnist.py").read_text()


@each_contributing
def test_every_make_target_is_explained(page):
    explained = re.findall(r"^\| `make ([\w-]+)` \|", page.read_text(), re.MULTILINE)
    assert set(explained) == set(make_targets()) - {"help"}


@each_contributing
def test_the_tree_equals_the_disk(page):
    (tree,) = re.findall(r"^```\n(src/study_keras/\n.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    named, folder = set(), ROOT
    for line in tree.splitlines():
        path = line.split()[0]
        folder = PACKAGE if line.startswith(" ") else ROOT
        found = set(folder.glob(path.rstrip("/")))
        assert found or path == "output/", path
        named |= found
    unnamed = {path.name for path in set(PACKAGE.iterdir()) - named} - {"__init__.py", "__pycache__", "py.typed"}
    assert not unnamed


@each_contributing
def test_the_order_of_imports_is_the_tested_one(page):
    (test,) = (ROOT / "tests").rglob("test_imports.py")
    tested = re.search(r"^ORDER = \((.+?)\)$", test.read_text(), re.MULTILINE | re.DOTALL)[1]
    shown = re.search(r"^cli > .+$", page.read_text(), re.MULTILINE)[0]
    assert [rooms.split(", ") for rooms in shown.split(" > ")] == [
        rooms.split() for rooms in re.findall(r'"(.+?)"', tested)
    ]


@each_contributing
def test_each_of_ten_questions_has_a_file(page):
    files = re.findall(r"^\| .+ \| \[`.+`\]\((.+)\) \|$", page.read_text(), re.MULTILINE)
    assert len(files) == len(set(files)) == 10
    for file in files:
        assert (ROOT / file).is_file(), file


@each_contributing
def test_every_dependency_has_its_reason(page):
    pyproject = (ROOT / "pyproject.toml").read_text()
    declared = set(re.findall(r'^    "([a-z][\w-]*)>=', pyproject, re.MULTILINE)) - {"tensorflow-cpu"}
    explained = {name.lower() for name in re.findall(r"\*\*([\w-]+)(?: 3)?\*\*", page.read_text())}
    assert declared <= explained, declared - explained


@pytest.mark.parametrize("page", COURSE, ids=lambda page: page.name)
def test_the_table_of_lessons_names_what_is_new_in_each(page):
    lessons = re.findall(
        r"^\| \[`(hello_mnist\w*\.py)`\]\(.*\) \| .* \| (.*) \| \d+ \|$", page.read_text(), re.MULTILINE
    )
    assert [name for name, _ in lessons] == sorted(path.name for path in PACKAGE.glob("hello_*.py"))
    before = ""
    for name, calls in lessons:
        source = (PACKAGE / name).read_text()
        for call in re.findall(r"`([\w.]+)`", calls):
            new = re.compile(rf"(?<![\w\"]){re.escape(call)}\b|\"{call}\"")
            assert new.search(source), call
            assert not new.search(before), call
        before += source


def test_the_table_of_formats_is_that_of_the_command():
    english, chinese = ((NOTES / name).read_text() for name in ("4_formats.en.md", "4_formats.md"))
    table = overview.markdown()
    assert f"\n\n{table}\n\n" in english
    cells = [line.split("|") for line in table.splitlines()]
    translated = [line.split("|") for line in chinese.splitlines() if line.startswith("|")][: len(cells)]
    assert [row[2].replace("`, `", "`、`") for row in cells[1:]] == [row[2] for row in translated[1:]]  # the suffixes


def test_every_picture_is_shown_in_both_languages():
    for language in (0, 1):
        text = "".join(pair[language].read_text() for pair in [COURSE, *PAIRS])
        for picture in (NOTES / "pictures").iterdir():
            assert f"pictures/{picture.name})" in text, picture.name


def test_the_locks_name_no_host():
    for lock in (ROOT / "requirements").iterdir():
        assert "://" not in lock.read_text()
        assert lock.read_text().count("==") > 20


def test_a_lesson_stays_short():
    for lesson in PACKAGE.glob("hello_mnist*.py"):
        assert len(lesson.read_text().splitlines()) <= 60, lesson.name

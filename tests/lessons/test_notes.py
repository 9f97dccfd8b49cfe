"""The course: its code is the lessons', its outputs are what a run prints, and both languages are one."""

import builtins
import re
import shlex

import click
import course
import keras
import make_notes
import numpy as np
import pytest
from conftest import ROOT

from study_keras.cli.commands import cli

IDS = {"ids": lambda path: path.name}


def skeleton(page):
    """What both languages share: headings, blocks with their spreads, pictures, tables, and where links lead."""
    prose = course.FENCE.sub("", page.read_text())
    return {
        "headings": re.findall(r"^#+", prose, re.MULTILINE),
        "blocks": [block[2:] for block in course.blocks(page)],
        "pictures": re.findall(r"^!\[.+\]\((.+)\)$", prose, re.MULTILINE),
        "tables": [line.count("|") for line in prose.splitlines() if line.startswith("|")],
        "items": len(re.findall(r"^- ", prose, re.MULTILINE)),
        "links": [link for link in re.findall(r"\]\((.+?)\)", prose) if not link.endswith(".md")],
    }


def rows(page, columns):
    """The cells of the tables with so many columns."""
    lines = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    return [line for line in lines if len(line) == columns]


@pytest.mark.parametrize("page", course.PAGES, **IDS)
@pytest.mark.parametrize("lesson", course.LESSONS, **IDS)
def test_the_pieces_are_the_lesson_to_the_letter(lesson, page):
    course.check_code(page, lesson)


def test_every_change_of_a_lesson_is_noticed_and_named(tmp_path):
    page = course.PAGES[1]
    for lesson in course.LESSONS:
        lines = lesson.read_text().splitlines()
        changed = tmp_path / lesson.name
        for number, line in enumerate(lines):
            changed.write_text("\n".join([*lines[:number], f"{line} ", *lines[number + 1 :]]) + "\n")
            with pytest.raises(course.StaleError, match=rf"^{page.name}:\d+: .*, but {lesson.name}:{number + 1} is "):
                course.check_code(page, changed)
        for other in ([*lines, "pass"], lines[:-1]):
            changed.write_text("\n".join(other) + "\n")
            with pytest.raises(course.StaleError):
                course.check_code(page, changed)


@pytest.mark.parametrize(
    ("shown", "printed", "complaint"),
    [
        ("accuracy: 0.9771", "accuracy: 0.9812", None),
        ("accuracy: 0.9771", "accuracy: 0.9972", r":7: 0.9771 in .* is 0.9972 in .* ± 0.01"),
        ("images: 10,000", "images: 10,001", r":7: shows 'images: 10,000', but 'images: 10,001' is printed"),
        ("evaluate: [0.07, 0.977]", "evaluate: [0.09, 0.979]", None),
        ("evaluate: [0.07, 0.977]", "evaluate: [0.07, 0.99]", r"0.977 in .* is 0.99 in .* ± 0.01"),
        ("wrong: 3\n[1, 5, ...", "wrong: 3\n[1, 5, 9]", None),
        ("wrong: 3\n[1, 6, ...", "wrong: 3\n[1, 5, 9]", r":8: shows"),
        ("...\nlast", "first\nlast", None),
        ("...\nlast", "first\nlast\nmore", r":9: ends, but 'more' is printed"),
        ("first\n...", "first\nlast", None),
        ("first", "First", r":7: shows 'first', but 'First' is printed"),
        ("3/3 ━━━ 1s 2ms/step - accuracy: 0.5", "3/3 ━━━ 12s 900us/step - accuracy: 0.5", None),
    ],
)
def test_an_output_holds_within_its_spread(shown, printed, complaint):
    spreads = course.spreads("*From run to run: `accuracy` ± 0.01, `evaluate` ± 0.03, ± 0.01.*")
    block = course.Block("page.md", 7, "text", "lesson.py", shown.split("\n"), spreads)
    if complaint:
        with pytest.raises(course.StaleError, match=rf"^page.md.*{complaint}"):
            course.check_output(block, printed.split("\n"))
    else:
        course.check_output(block, printed.split("\n"))


def test_the_two_languages_run_parallel():
    chinese, english = map(skeleton, course.PAGES)
    assert chinese == english
    assert [row[:2] for row in rows(course.PAGES[0], 3)[-20:]] == [row[:2] for row in rows(course.PAGES[1], 3)[-20:]]


@pytest.mark.parametrize("page", course.PAGES, **IDS)
def test_links_and_pictures_are_there_and_small(page):
    targets = re.findall(r"\]\((.+?)\)", page.read_text())
    for target in targets:
        assert (page.parent / target).is_file(), target
        assert (page.parent / target).stat().st_size < 200_000, target


@pytest.mark.parametrize("page", course.PAGES, **IDS)
def test_each_lesson_but_the_first_ends_in_three_exercises_with_folded_solutions(page):
    sections = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    for lesson in course.LESSONS[1:]:
        (section,) = (section for section in sections if f"```python {lesson.name}\n" in section)
        folded = re.findall(
            r"^<details>\n<summary>[^<]+</summary>\n\n(.+?)\n\n</details>$", section, re.MULTILINE | re.DOTALL
        )
        assert len(folded) == section.count("<details>") == section.count(f"```diff {lesson.name}\n") == 3
        for solution in folded:
            assert solution.startswith(f"```diff {lesson.name}\n")
            assert solution.count("\n```text changed\n") == 1
            assert not solution.endswith("```")  # the result is explained
        assert re.findall(r"^\*\*(\d)\. ", section, re.MULTILINE) == ["1", "2", "3"]


def test_every_picture_of_the_course_is_shown():
    drawn = {f"pictures/{path.name}" for path in (ROOT / "notes/study_keras/pictures").glob("course_*.png")}
    assert drawn <= set(skeleton(course.PAGES[0])["pictures"])


@pytest.mark.slow
def test_what_the_course_tells_to_try_prints_what_it_says(checkout):
    make_notes.run(checkout / "src/study_keras/hello_mnist_1.py", checkout)  # lesson 5 reads its model
    tried = make_notes.try_out(checkout)
    for page in course.PAGES:
        for (_, output), printed in zip(course.trials(page), tried, strict=True):
            course.check_output(output, printed)


@pytest.mark.parametrize("page", course.PAGES, **IDS)
def test_every_command_can_be_typed(page):
    targets = re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = [line for block in course.blocks(page) if block.language == "sh" for line in block.lines]
    assert len(commands) > 8
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "make":
            assert set(arguments) <= set(targets), command
        elif program.endswith("/hello-mnist"):
            verb = cli.commands[arguments[0]]
            verb.make_parser(click.Context(verb)).parse_args(arguments[1:])  # raises at an unknown option
        elif program in ("cp", ".venv/bin/python"):
            assert arguments[0] == "output/my.py" or (ROOT / arguments[0]).is_file(), command
        else:
            assert program == ".venv/bin/tensorboard"


def old_calls():
    """The first two cells of the table about the Keras of 2019, where the second names what happens."""
    cells = [row for row in rows(course.PAGES[1], 3) if re.match(r"`\w+(Error|Warning)`", row[1])]
    return [(then.strip("`"), today.split("`")[1]) for then, today, _ in cells]


@pytest.mark.parametrize(("call", "outcome"), old_calls())
def test_a_call_of_2019_does_today_what_the_table_says(call, outcome, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    names = {"keras": keras, "model": model, "x": np.zeros((4, 28, 28)), "y": np.zeros(4), "text": ""}
    kind = getattr(builtins, outcome)
    with pytest.warns(kind) if issubclass(kind, Warning) else pytest.raises(kind) as raised:
        eval(call, names)
    if not issubclass(kind, Warning):
        assert raised.type is kind


def test_the_table_of_old_calls_is_tested_in_both_languages():
    assert len(old_calls()) > 15
    for ours, theirs in zip(*(rows(page, 3) for page in course.PAGES), strict=True):
        if re.match(r"`\w+(Error|Warning)`", theirs[1]):
            assert (ours[0], ours[1].split("`")[1]) == (theirs[0], theirs[1].split("`")[1])


@pytest.mark.parametrize("step", [7, 9])
def test_a_progress_bar_that_a_callback_cut_off_is_not_an_output(step):
    printed = (
        f"Epoch 1/2\n1/9 ━ 1s 2ms/step\r{step}/9 ━ 0s 2ms/step\nepoch 1: saved x\n\r9/9 ━ 1s 2ms/step - loss: 0.5\n"
    )
    assert course.screen(printed, ROOT) == ["Epoch 1/2", "epoch 1: saved x", "9/9 ━ 1s 2ms/step - loss: 0.5"]

"""A quiz in a real browser: answers by clicks and by keys, the score, and what axe finds."""

import re

import pytest
from browser_checks import run_checks

from study_keras import quiz

pytestmark = pytest.mark.slow
LESSON = 2
ENGLISH = quiz.load("en")["lessons"][str(LESSON)]
# As in the output of two cells; like a notebook or a website, the page decides on the colours.
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Two quizzes</title>
<meta name="viewport" content="width=device-width">
<style>:root { color-scheme: light dark } body { background: Canvas; color: CanvasText }</style>
</head><body><main><h1>Two quizzes</h1><div>%s</div><div>%s</div></main></body></html>"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A function: what came of one of the checks in check_quiz.mjs."""
    folder = tmp_path_factory.mktemp("quiz")
    page = folder / "page.html"
    page.write_text(PAGE % tuple(quiz.show(LESSON, language).html for language in quiz.LANGUAGES), encoding="utf-8")
    answers = [question["answer"] for question in ENGLISH]
    return run_checks("check_quiz.mjs", {"url": page.as_uri(), "answers": answers}, folder)


def test_each_click_is_answered_at_once_and_the_score_counts_the_right_ones(seen):
    clicks = seen("clicks")
    assert clicks["score"] == "Right answers: 7 of 10"
    for number, (question, feedback) in enumerate(zip(ENGLISH, clicks["feedback"], strict=True)):
        said = f"Not quite, {'ABCD'[question['answer']]} is right." if number < 3 else "Right."
        assert feedback == f"{said} {question['why'].replace('`', '')}"
    assert sorted(clicks["marks"]) == ["right"] * 10 + ["wrong"] * 3
    assert clicks["other"] == ""  # two quizzes on a page do not disturb each other


def test_only_the_first_answer_counts(seen):
    scores = [re.findall(r"\d+", score) for score in seen("secondAnswer")]  # right ones, all
    assert scores == [[], ["0", "1"], ["0", "1"]]


def test_the_keyboard_answers_and_keeps_its_place(seen):
    keyboard = seen("keyboard")
    assert keyboard["scores"] == ["Right answers: 1 of 1", "Right answers: 2 of 2"]
    assert keyboard["kept"]
    assert keyboard["heard"] == ["Tab"]  # a notebook does not see the keys that press a button


def test_starting_again_clears_all_answers(seen):
    again = seen("again")
    assert again["full"] == "Right answers: 10 of 10"
    assert again["empty"] == {"score": "", "feedback": "", "marks": 0}
    assert again["focused"]
    assert again["next"] == "Right answers: 1 of 1"


def test_it_fits_a_phone_and_axe_finds_no_barrier(seen):
    assert seen("wide") is False
    assert seen("barriers") == []


def test_it_asks_no_host_and_reports_no_error(seen):
    assert all(url.startswith("file:") for url in seen("requests"))
    assert seen("errors") == []

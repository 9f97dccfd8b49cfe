"""Ten questions about each of the lessons 1 to 7, with feedback and a score, for a notebook or a web page.

The questions are in ``en.json`` and ``zh.json``. ``answer`` is the index of the right choice; ``check``, where there is
one, is an expression that the tests evaluate, and its value is the right choice.
"""

import html
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
LETTERS = "ABCD"  # of the choices
ENVIRONMENT = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts, as in gettext


@dataclass(frozen=True)
class Quiz:
    """A quiz that a notebook shows when it is the last value of a cell.

    ``html`` is one ``<section>`` with its style and script, without blank lines; it asks no other host.
    """

    lesson: int
    language: str
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


def show(lesson: int, language: str | None = None) -> Quiz:
    """Return the quiz about a lesson, for a notebook to show.

    Args:
        lesson: 1 to 7.
        language: ``"en"`` or ``"zh"``; without it the system's language if it is one of these, else English.

    Raises:
        ValueError: there is no quiz about this lesson, or not in this language.
    """
    language = system_language() if language is None else language
    content = load(language)
    if str(lesson) not in content["lessons"]:
        raise ValueError(f"lesson: received {lesson!r}, expected {', '.join(content['lessons'])}")
    return Quiz(int(lesson), language, _section(content["lessons"][str(lesson)], content["words"], language))


def load(language: str) -> dict[str, Any]:
    """Return the content of a language's file.

    Returns:
        ``"words"``, the texts around the questions by their names, and ``"lessons"``, the ten questions of each lesson
        by its number as a string: dictionaries with ``question``, ``choices``, ``answer``, ``why`` and some ``check``.

    Raises:
        ValueError: there are no questions in this language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language: received {language!r}, expected {' or '.join(map(repr, LANGUAGES))}")
    return dict(json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")))


def system_language() -> str:
    """Return the system's language, ``"en"`` or ``"zh"``; English for any other."""
    values = [value for name in ENVIRONMENT if (value := os.environ.get(name))]
    return "zh" if values and values[0].lower().startswith("zh") else "en"


def _section(questions: list[dict[str, Any]], words: dict[str, str], language: str) -> str:
    """Return the questions as HTML, with all that they need."""
    texts = " ".join(f'data-{name}="{html.escape(words[name])}"' for name in ("right", "wrong", "score"))
    # JupyterLab's own keys, such as Enter, do nothing within an element with data-lm-suppress-shortcuts.
    return "\n".join(
        [
            f'<section class="hello-mnist-quiz" lang="{language}" aria-label="{html.escape(words["title"])}" '
            f'data-lm-suppress-shortcuts="true" {texts}>',
            f"<style>\n{_read('quiz.css')}</style>",
            *(_question(number, question) for number, question in enumerate(questions, start=1)),
            f'<p class="score" role="status"></p><button type="button" class="again" hidden>{words["again"]}</button>',
            f"<script>\n{_read('quiz.js')}</script>",
            "</section>",
        ]
    )


def _question(number: int, question: dict[str, Any]) -> str:
    choices = zip(LETTERS, question["choices"], strict=False)
    buttons = "".join(f'<button type="button">{letter}. {_markup(choice)}</button>' for letter, choice in choices)
    return (
        f'<fieldset data-answer="{question["answer"]}"><legend>{number}. {_markup(question["question"])}</legend>'
        f'{buttons}<p class="feedback" role="status"></p><template>{_markup(question["why"])}</template></fieldset>'
    )


def _markup(text: str) -> str:
    """Return a text as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _read(name: str) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.sub(r"\n{2,}", "\n", text)  # Markdown ends HTML at a blank line

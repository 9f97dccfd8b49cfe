"""The quizzes: ten questions a lesson in both languages, whose right choices Keras and arithmetic confirm."""

import math
import re
from collections import Counter
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from study_keras import quiz

LESSONS = range(1, 8)
BOTH = {language: quiz.load(language) for language in quiz.LANGUAGES}
CHECKED = [
    pytest.param(lesson, number, id=f"{lesson}.{number + 1}")
    for lesson in LESSONS
    for number, question in enumerate(BOTH["en"]["lessons"][str(lesson)])
    if "check" in question
]


def network(units=128):
    """The network of the lessons, compiled."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((28, 28)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def error(call):
    """The name of the exception that a call raises, or an empty string."""
    try:
        call()
    except Exception as raised:
        return type(raised).__name__
    return ""


def stopped_after(losses, patience):
    """The epoch after which Keras' ``EarlyStopping`` stops a training with these validation losses."""
    stop, model = keras.callbacks.EarlyStopping(patience=patience), network()
    stop.set_model(model)
    stop.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        stop.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return None


NAMES = {"error": error, "keras": keras, "math": math, "network": network, "np": np, "stopped_after": stopped_after}


@pytest.mark.parametrize(("lesson", "number"), CHECKED)
def test_the_right_choice_is_what_its_check_computes(lesson, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some save a file
    value = eval(BOTH["en"]["lessons"][str(lesson)][number]["check"], dict(NAMES))
    expected = f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)
    for content in BOTH.values():
        question = content["lessons"][str(lesson)][number]
        assert [choice.strip("`") == expected for choice in question["choices"]].index(True) == question["answer"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_ten_questions_with_the_same_answers_in_both_languages(lesson):
    english, chinese = (content["lessons"][str(lesson)] for content in BOTH.values())
    assert len(english) == len(chinese) == 10
    for one, other in zip(english, chinese, strict=True):
        assert [one.get(name) for name in ("answer", "check")] == [other.get(name) for name in ("answer", "check")]
        for question in (one, other):
            assert 0 <= question["answer"] < len(question["choices"])
            assert len(set(question["choices"])) == len(question["choices"]) in (3, 4)
            assert question["why"]
        codes = [re.findall("`[^`]+`", " ".join([q["question"], *q["choices"]])) for q in (one, other)]
        assert Counter(codes[0]) == Counter(codes[1])
        assert len(one["choices"]) == len(other["choices"])
        assert re.search("[\u4e00-\u9fff]", other["question"])
    # Nobody passes by always choosing the same place.
    assert max(Counter(question["answer"] for question in english).values()) <= 4


def test_all_lessons_and_texts_are_there_in_both_languages():
    english, chinese = BOTH.values()
    assert [*english["lessons"]] == [*chinese["lessons"]] == [str(lesson) for lesson in LESSONS]
    assert english["words"].keys() == chinese["words"].keys()


class Tags(HTMLParser):
    """The balance of the tags of an HTML text, its attributes and its text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], Counter(), [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen[tag] += 1
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("language", quiz.LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_html_is_one_section_that_asks_no_host(lesson, language):
    html = quiz.show(lesson, language)._repr_html_()
    page = Tags(html)
    questions = BOTH[language]["lessons"][str(lesson)]
    assert page.open == []
    assert page.seen["section"] == 1
    assert page.seen["fieldset"] == page.seen["legend"] == page.seen["template"] == 10
    assert page.seen["button"] == sum(len(question["choices"]) for question in questions) + 1
    assert [int(value) for name, value in page.attributes if name == "data-answer"] == [q["answer"] for q in questions]
    for question in questions:
        for text in (question["question"], question["why"], *question["choices"]):
            assert text.replace("`", "") in page.text
    assert "`" not in re.sub("(?s)<script>.*</script>", "", html)
    assert not {"src", "href", "id"} & {name for name, _ in page.attributes}
    assert not re.search(r"://|url\(|@import|fetch|\n\s*\n", html)


def test_a_notebook_shows_the_html():
    shown, _ = DisplayFormatter().format(quiz.show(3, "en"))
    assert shown["text/html"] == quiz.show(3, "en").html
    assert shown["text/plain"] == "Quiz(lesson=3, language='en')"


def test_the_language_is_the_systems(monkeypatch):
    for name in quiz.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    assert quiz.show(3).language == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert quiz.show(3) == quiz.show(3, "zh")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "en"), "lesson: received 0, expected 1, 2, 3, 4, 5, 6, 7"),
        ((8, "en"), "lesson: received 8, expected 1, 2"),
        ((None, "en"), "lesson: received None"),
        ((3, "fr"), "language: received 'fr', expected 'en' or 'zh'"),
        ((3, "../en"), "language: received '../en'"),
    ],
)
def test_an_unknown_lesson_or_language_is_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        quiz.show(*arguments)

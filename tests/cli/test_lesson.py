"""``hello-mnist lesson`` lists the lessons of the course and copies them."""

import subprocess
import sys

import course
import pytest

from study_keras.cli import main

LAST = len(course.LESSONS) - 1


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path, monkeypatch):
    """Run the command in an empty folder, on a system without a language."""
    monkeypatch.chdir(tmp_path)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def lines(capsys, *arguments):
    """The lines that the command prints; it must succeed."""
    assert main(["lesson", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("variables", "chinese"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh:en"}, True),
    ],
)
def test_the_titles_are_the_courses_in_the_language_of_the_system(capsys, monkeypatch, variables, chinese):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    page = course.PAGES[0 if chinese else 1].read_text()
    *listed, hint = lines(capsys)
    for lesson, line in zip(course.LESSONS, listed, strict=True):
        name, title = line.split(maxsplit=1)
        assert name == lesson.name
        assert f"\n## {title}\n" in page
    assert hint.endswith("hello-mnist lesson 0")


def test_the_option_is_stronger_than_the_system(capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "Lesson 0: " in lines(capsys, "--language", "en")[0]


@pytest.mark.parametrize("number", range(LAST + 1))
def test_the_script_is_copied_and_said_how_to_run(capsys, tmp_path, number):
    printed = lines(capsys, str(number))
    (copy,) = tmp_path.iterdir()
    assert copy.name == course.LESSONS[number].name
    assert copy.read_bytes() == course.LESSONS[number].read_bytes()
    python, name = printed[-1].removeprefix("Run it with: ").split()
    assert name == copy.name
    assert python in ("python", sys.executable)


def test_the_python_that_is_named_has_the_library(capsys):
    python = lines(capsys, "0")[-1].removeprefix("Run it with: ").split()[0]
    subprocess.run([python, "-c", "from importlib.util import find_spec; assert find_spec('keras')"], check=True)


@pytest.mark.parametrize(("language", "suffix"), [("en", ".en.ipynb"), ("zh", ".ipynb")])
def test_the_notebook_is_copied_in_its_language(capsys, tmp_path, language, suffix):
    lines(capsys, "1", "--notebook", "--language", language)
    (copy,) = tmp_path.iterdir()
    assert copy.name == f"hello_mnist_1{suffix}"
    assert ("第 1 课" in copy.read_text()) == (language == "zh")


def test_a_changed_copy_is_kept_unless_forced(capsys, tmp_path):
    lines(capsys, "0")
    lines(capsys, "0")  # unchanged, so there is nothing to lose
    copy = tmp_path / "hello_mnist.py"
    copy.write_text("my own\n")
    assert main(["lesson", "0"]) == 1
    assert capsys.readouterr().err == (
        "hello-mnist: hello_mnist.py: differs from the lesson; rename it, or overwrite it with --force\n"
    )
    assert copy.read_text() == "my own\n"
    lines(capsys, "0", "--force")
    assert copy.read_bytes() == course.LESSONS[0].read_bytes()
    assert list(tmp_path.iterdir()) == [copy]


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere")])
def test_what_is_not_a_file_is_not_overwritten(capsys, tmp_path, make):
    make(tmp_path / "hello_mnist.py")
    assert main(["lesson", "0", "--force"]) == 1
    assert capsys.readouterr().err == "hello-mnist: hello_mnist.py: is not a file; rename it\n"
    assert not (tmp_path / "nowhere").exists()


def test_an_unknown_lesson_is_refused(capsys, tmp_path):
    assert main(["lesson", str(LAST + 1)]) == 2
    assert f"received {LAST + 1}, expected 0 to {LAST}" in capsys.readouterr().err
    assert main(["lesson", "three"]) == 2
    assert "'three'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

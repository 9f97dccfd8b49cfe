"""The website that ``make site`` builds: its links, its search, and that no page asks another host."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import course
import pytest
from browser_checks import run_checks
from conftest import ROOT

from study_keras import quiz

pytestmark = pytest.mark.slow
LANGUAGES = ("en", "zh")
READABLE = (
    "en/1_hello_mnist_0.html",
    "en/1_hello_mnist_4.html",
    "zh/index.html",
    "en/4_formats.html",
    "zh/CONTRIBUTING.html",
)
QUERIES = (("en", "quantization"), ("zh", "过拟合"), ("zh", "softmax"))
QUESTIONS = {  # each in the words of people who ask it in public
    "en": (
        "keras mnist wrong prediction on my own handwritten digits",
        "keras model always predicts the same class",
        "convert image to 28x28 like mnist",
        "keras not using the whole dataset 1875 instead of 60000",
        "validation accuracy higher than training accuracy",
        "what is validation accuracy",
        "how to get reproducible results in keras",
        "load_data URL fetch failure SSL CERTIFICATE_VERIFY_FAILED",
        "ModelCheckpoint filepath must end in .keras",
        "cannot load old h5 model keras 3",
        "An InputLayer should be passed either a batchInputShape or an inputShape",
        "onnx get input name and output name",
        "loss curve overfitting or underfitting",
        "convert tflite to C array for arduino",
        "accuracy lower than in the book",
    ),
    "zh": (
        "自己手写的数字识别错误",
        "模型总是预测同一个数字",
        "照片转换成 28x28",
        "为什么是 1875 而不是 60000",
        "验证集准确率比训练集高",
        "什么是验证集",
        "每次运行结果不一样",
        "mnist.load_data 下载失败",
        "ModelCheckpoint 文件名必须以 .keras 结尾",
        "h5 模型加载失败",
        "InputLayer batchInputShape 报错",
        "onnx 输入名 输出名",
        "损失曲线 过拟合",
        "tflite 转 C 数组 单片机",
        "准确率比书上低",
    ),
}


class Page(HTMLParser):
    """What a page of the site refers to, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values.get("id"), values.get("name")}
        target = values.get("href") or values.get("src")
        if target is not None:
            (self.links if tag == "a" else self.loaded).append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the website, built with the packages of its lock file, which lie beside the others."""
    packages, folder = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("website") / "site"
    lock = ROOT / "requirements/site.txt"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--require-hashes",
        "--target",
        packages,
        "-r",
        lock,
    ]
    subprocess.run(pip, check=True)
    path = os.pathsep.join([str(ROOT / "src"), str(packages)])
    command = [sys.executable, ROOT / "tools/make_site.py", folder]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "page.html"}


@pytest.fixture(scope="module")
def seen(site, tmp_path_factory):
    """A function: what came of one of the checks in check_site.mjs."""
    server = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(site), "0"]
    names = [path.relative_to(site).as_posix() for code in LANGUAGES for path in (site / code).glob("*.html")]
    spec = {"site": str(site), "server": server, "queries": QUERIES, "pages": names, "readable": READABLE}
    spec["questions"] = [(language, query) for language, queries in QUESTIONS.items() for query in queries]
    spec["choice"] = quiz.load("zh")["lessons"]["3"][0]["answer"]  # the right one of the first question
    return run_checks("check_site.mjs", spec, tmp_path_factory.mktemp("checks"))


def test_every_page_of_the_documentation_is_there_in_both_languages(site):
    english, chinese = ({path.name for path in (site / code).glob("*.html")} for code in LANGUAGES)
    assert english == chinese
    assert {f"{path.name.partition('.')[0]}.html" for path in (ROOT / "notes/study_keras").glob("*.md")} <= english
    for number, lesson in enumerate(course.LESSONS):
        page = (site / f"zh/1_hello_mnist_{number}.html").read_text()
        assert f"第 {number} 课" in page
        notebook = ROOT / f"src/study_keras/notebooks/{lesson.stem}.ipynb"
        for copy in (lesson, notebook):
            assert f'href="{copy.name}"' in page
            assert (site / "zh" / copy.name).read_bytes() == copy.read_bytes()
        assert f"src/study_keras/{lesson.name}.html" in (site / "zh/1_hello_mnist.html").read_text()


def test_each_lesson_from_1_on_ends_in_its_quiz(site, seen):
    for code in LANGUAGES:
        for number, _ in enumerate(course.LESSONS):
            page = (site / code / f"1_hello_mnist_{number}.html").read_text()
            assert page.count(quiz.show(number, code).html if number else "hello-mnist-quiz") == (number > 0)
    for score in seen("quiz"):  # from a server, and from the disk
        assert re.findall(r"\d+", score) == ["1", "1"]


def test_each_link_leads_to_a_page_and_an_anchor_that_are_there(site, pages):
    internal = 0
    for path, page in pages.items():
        for target in page.links + page.loaded:
            link = urlsplit(target)
            if link.scheme in ("https", "data"):
                continue
            file = (path.parent / unquote(link.path)).resolve() if link.path else path
            assert file.is_file(), f"{path.relative_to(site)}: {target}"
            assert file.is_relative_to(site), f"{path.relative_to(site)}: {target}"
            if file in pages and link.fragment:
                assert unquote(link.fragment) in pages[file].anchors, f"{path.relative_to(site)}: {target}"
            internal += 1
    assert internal > 1000


def test_no_page_asks_another_host(site, pages, seen):
    for path, page in pages.items():
        assert not [target for target in page.loaded if "//" in target and not target.startswith("data:")], path
    allowed = (site.as_uri(), "http://127.0.0.1:", "data:", "blob:")
    assert [url for url in seen("requests") if not url.startswith(allowed)] == []
    assert seen("errors") == []


def test_the_search_finds_english_and_chinese_words(seen):
    for language, query in QUERIES:
        for found in seen("searches")[query]:  # from a server, and from the disk
            assert all(link.startswith(f"{language}/") for link in found["links"])
            assert query in {mark.lower() for mark in found["marked"]}
            assert found["heading"]
    (lessons, _) = seen("searches")["过拟合"]
    assert any("1_hello_mnist_" in link for link in lessons["links"])


def test_each_question_is_found_with_the_words_of_those_who_ask_it(seen):
    found, missed = iter(seen("questions")), {}
    for language, queries in QUESTIONS.items():
        for number, query in enumerate(queries, start=1):
            links, section = next(found), re.compile(rf"{language}/9_questions\.html(\?[^#]*)?#{number}-")
            if not any(section.match(link) for link in links[:8]):
                missed[query] = [unquote(link) for link in links]
    assert missed == {}


def test_the_front_door_opens_in_the_readers_language(seen):
    assert seen("root") == ["zh/index.html", "zh/index.html", "en/index.html", "en/index.html"]


def test_the_switch_leads_to_the_same_page_in_the_other_language(seen):
    assert seen("languages") == [["zh/4_formats.html", "zh"], ["en/4_formats.html", "en"]]


def test_the_colours_follow_the_system_and_then_the_reader(seen):
    assert seen("schemes") == ["slate", "default", "default"]


def test_no_page_is_wider_than_a_phone(seen):
    assert seen("phone") == []


def test_the_page_that_reads_digits_opens_from_the_navigation(seen):
    assert "Hello MNIST" in seen("page")


def test_axe_finds_no_barrier_that_can_be_mended_here(seen):
    # The theme's search has no name, its buttons to copy have the same; and a corner of a table in the notes is empty.
    known = ("aria-dialog-name", "landmark-unique", "empty-table-header")
    assert [barrier for barrier in seen("barriers") if not barrier.startswith(known)] == []

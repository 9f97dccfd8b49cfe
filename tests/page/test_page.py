"""The page in a real browser: it reads what is drawn, as Python would, for everybody, offline, and as one file."""

import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from browser_checks import run_checks
from conftest import COMMAND, ROOT, hello_mnist
from PIL import Image

from study_keras import formats, mnist
from study_keras.data.dataset import scale
from study_keras.report import evaluation
from study_keras.runtimes.tfjs import find_node
from study_keras.serve import single_file
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_image
from study_keras.vision.prepare import prepare

SHIPPED = ROOT / "src/study_keras/shipped"
GOLDEN = ROOT / "tests/golden"
PICTURES = {"paper_8": 5, "night_1": 2, "plain_9": 9, "mnist": 7}  # of tests/golden, and the digits on them
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())  # what Python reads in the pictures of tests/golden


@pytest.fixture(scope="module")
def shipped():
    """The shipped model, as Keras reads it from the files that the page gets."""
    return formats.load_tfjs(SHIPPED / "digits.tfjs")


WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven <b>"]


@pytest.fixture(scope="module")
def one_file(shipped, tmp_path_factory):
    """The page as one file around the shipped model."""
    return single_file.write_page(shipped, tmp_path_factory.mktemp("one") / "digits.html")


@pytest.fixture(scope="module")
def named(shipped, tmp_path_factory):
    """The page as one file around a model whose classes have names, and two more classes, which never come."""
    logits = keras.layers.Dense(12, kernel_initializer="zeros", bias_initializer="zeros")
    model = keras.Sequential([shipped, logits])
    logits.set_weights([20 * np.eye(10, 12, dtype="float32"), np.zeros(12, "float32")])
    return single_file.write_page(model, tmp_path_factory.mktemp("named") / "digits.html", classes=WORDS)


@pytest.fixture(scope="module")
def seen(one_file, named, tmp_path_factory):
    """A function: what came of one of the checks in check_page.mjs, which do what people do, all in one browser."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(single_file.build(), folder / "dist")
    (folder / "images").write_bytes(mnist.load_data()[1][0].tobytes())
    write_video(read_image(GOLDEN / "line.png"), folder / "camera.y4m")
    write_shadowed(read_image(GOLDEN / "line.png"), folder / "shadowed.jpg")
    pictures = {name: str(GOLDEN / f"{name}.png") for name in (*PICTURES, "line", "turned", "empty")}
    spec = {
        "server": [str(COMMAND), "serve", "--port", "0"],
        "static": [sys.executable, str(ROOT / "tests/browser/static_server.py"), str(folder / "dist")],
        "folder": str(folder / "dist"),
        "one_file": str(one_file),
        "named": str(named),
        "images": str(folder / "images"),
        "video": str(folder / "camera.y4m"),
        "pictures": pictures | {"shadowed": str(folder / "shadowed.jpg")},
    }
    return run_checks("check_page.mjs", spec, folder)


def write_video(grey, path):
    """Write what a camera would see that looks at a picture: three frames of 480 x 360 in YUV4MPEG2."""
    across, down = 440, round(440 * grey.shape[0] / grey.shape[1])
    light = Image.fromarray(np.round(235 * grey).astype(np.uint8)).resize((across, down))
    above = (360 - down) // 2
    frame = np.pad(np.asarray(light), ((above, 360 - down - above), (20, 20)), mode="edge")
    picture = b"FRAME\n" + frame.tobytes() + bytes([128]) * (frame.size // 2)
    path.write_bytes(b"YUV4MPEG2 W480 H360 F10:1 Ip A1:1 C420jpeg\n" + 3 * picture)


def write_shadowed(grey, path):
    """Write a photo over whose right half falls a shadow with a rather sharp, slanting border."""
    y, x = np.linspace(-1, 1, grey.shape[0])[:, None], np.linspace(-1, 1, grey.shape[1])
    light = grey * (1 - 0.55 / (1 + np.exp(-(x + 0.4 * y) / 0.05)))
    Image.fromarray(np.round(255 * light).astype(np.uint8)).save(path, quality=90)


def read_in(said):
    """The digit that an answer names, whether the page is sure of it or not."""
    return int(re.match(r"(?:This is|Perhaps) an? (\d), ", said)[1])


def test_all_ten_digits_are_read_while_they_are_drawn(seen):
    for digit, answer in enumerate(seen("digits")):
        assert read_in(answer["said"]) == digit, seen("digits")
        assert (answer["shown"], answer["best"]) == (str(digit), str(digit))


def test_a_number_is_read_with_a_box_a_button_and_bars_for_each_digit(seen):
    answer = seen("number")["answer"]
    assert (answer["said"], answer["text"]) == ("2026, 4 digits.", "2026")
    assert [button[:3] for button in answer["buttons"]] == ["2: ", "0: ", "2: ", "6: "]
    assert answer["pressed"] == answer["marked"] == answer["stops"] == [3]  # the one that was drawn last
    assert answer["best"] == ["6"]
    lefts, _, widths, heights = np.transpose(answer["boxes"])
    assert np.all(np.diff(lefts) > 0)
    assert np.all((widths > 30) & (widths < 80) & (heights > 60) & (heights < 110))
    assert seen("quickly") == answer["said"]


def test_how_long_a_pointer_waits_for_the_answer(seen):
    for name in ("number", "phone"):
        milliseconds = np.array(seen(name)["milliseconds"])
        assert len(milliseconds) > 60
        print(f"{name}: median {np.median(milliseconds):.0f} ms, 95 % below {np.quantile(milliseconds, 0.95):.0f} ms")


def test_arrow_keys_and_clicks_choose_a_digit(seen):
    chosen = seen("number")["chosen"]
    for one, at in zip(chosen, (0, 1, 2, 3), strict=True):
        assert one["pressed"] == one["marked"] == one["stops"] == [at]
        assert (one["focus"], one["best"]) == (at, ["2026"[at]])
    assert len({str(one["seen"]) for one in chosen}) == 4
    assert all(max(one["seen"]) > 200 for one in chosen)
    assert len({str(one["layers"]) for one in chosen}) == 4
    assert seen("number")["left"] == "camera"  # all buttons are one stop
    assert (seen("number")["clicked"]["pressed"], seen("number")["clicked"]["best"]) == ([0], ["2"])


def test_a_number_is_named_in_chinese_and_the_choice_stays(seen):
    chinese = seen("number")["chinese"]
    assert chinese["said"] == "2026\uff0c共 4 个数字。"
    assert chinese["pressed"] == [0]
    cleared = seen("number")["cleared"]
    assert (cleared["text"], cleared["buttons"], cleared["boxes"], cleared["best"]) == ("", [], [], [])


def test_ink_among_digits_that_cannot_be_read_is_a_question_mark(seen):
    line, unread = seen("unread")["line"], seen("unread")["unread"]
    assert line["text"] == "20?6"
    assert line["said"].startswith("20?6, 3 digits")
    assert line["said"].endswith("1 not read.")
    assert (unread["pressed"], unread["best"], unread["sure"]) == ([2], [], "This ink could not be read.")


def test_what_is_no_digit_is_not_taken_for_one(seen):
    nothing = seen("unread")["nothing"]
    assert nothing["said"] == nothing["sure"] == "No digit found"
    assert (nothing["text"], nothing["best"], nothing["boxes"]) == ("", [], [])
    assert seen("unread")["chinese"] == "没有找到数字"


def test_a_drawing_waits_for_the_networks_that_find_digits(seen):
    assert seen("loading")["waiting"] == "Loading the model …"
    assert read_in(seen("loading")["read"]) == 7
    assert seen("loading")["failed"] == seen("loading")["problem"]
    assert seen("loading")["problem"].startswith("The networks that find digits cannot be loaded: 404")


def test_strokes_can_be_undone_and_so_can_clearing(seen):
    assert read_in(seen("undo")["one"]) == 1
    assert seen("undo")["again"] == seen("undo")["back"] == seen("undo")["one"]
    assert seen("undo")["cleared"] == "Nothing drawn yet"


def test_the_layers_are_shown_from_the_drawing_to_the_answer(seen):
    assert [title.replace("\u00a0", " ") for title in seen("undo")["layers"]] == [
        "The drawing",
        "First convolution: 24 filters, 5 \u00d7 5, ReLU",
        "First max pooling: 2 \u00d7 2",
        "Second convolution: 32 filters, 3 \u00d7 3, ReLU",
        "Second max pooling: 2 \u00d7 2",
        "Third convolution: 64 filters, 3 \u00d7 3, ReLU",
        "Fourth convolution: 64 filters, 3 \u00d7 3, ReLU",
        "Output layer: 10 units, softmax",
    ]


def test_10_000_images_get_the_classes_that_python_gives_them(seen, shipped):
    expected = evaluation.predict(shipped, mnist.load_data()[1][0]).argmax(axis=1)
    np.testing.assert_array_equal(seen("images")["tfjs"], expected)


def test_the_tflite_gives_the_same_answers_as_on_the_phone(seen):
    answers = load_network(SHIPPED / "digits.tflite")(scale(mnist.load_data()[1][0][:1000]))
    np.testing.assert_array_equal(seen("images")["litert"], answers.argmax(axis=1))
    assert read_in(seen("images")["drawn"]) == 3
    assert seen("images")["layers"] == 0
    assert all(time.endswith(" ms") for time in seen("images")["times"])


def test_a_finger_on_a_small_phone_is_read_in_chinese(seen):
    chinese = seen("phone")["chinese"]
    assert chinese["overflow"] <= 0
    assert (chinese["language"], chinese["undo"]) == ("zh", "撤销")
    assert chinese["status"].startswith("这是 7\uff0c")


def test_a_finger_on_a_small_phone_writes_a_number(seen):
    number = seen("phone")["number"]
    assert (number["said"], number["text"]) == ("2026, 4 digits.", "2026")
    assert number["overflow"] <= 0


def test_the_language_can_be_chosen_and_is_remembered(seen):
    assert read_in(seen("phone")["english"]["status"]) == 7
    assert seen("phone")["remembered"]["language"] == "en"
    assert seen("phone")["remembered"]["undo"] == "Undo"


def test_the_keyboard_alone_draws_undoes_clears_and_chooses(seen):
    keyboard = seen("keyboard")
    assert read_in(keyboard["one"]) == 1
    assert read_in(keyboard["seven"]) == 7
    assert keyboard["undone"] == keyboard["cleared"] == "Nothing drawn yet"
    assert keyboard["outline"] == "solid"


def test_axe_finds_no_barrier_in_light_and_dark(seen):
    assert seen("axe") == {
        f"{scheme}{shown}": [] for scheme in ("light", "dark") for shown in (" empty", "", " several")
    }


@pytest.mark.parametrize("name", list(PICTURES))
def test_a_chosen_picture_is_prepared_as_in_python_and_read(seen, name):
    answer = seen("pictures")["answers"][name]
    assert read_in(answer["said"]) == PICTURES[name]
    # The page's networks have bytes as weights, and Python's the same numbers rounded to float16.
    apart = np.abs(np.array(answer["seen"]) / 255 - prepare(read_image(GOLDEN / f"{name}.png")).ravel())
    assert (apart > 3.001 / 255).mean() <= 0.01
    assert apart.max() < 0.2


def test_a_photo_with_a_shadow_is_read_whole(seen):
    answers = seen("pictures")["answers"]
    assert answers["line"]["text"] == answers["shadowed"]["text"] == EXPECTED["line"]["text"]
    assert len(answers["shadowed"]["boxes"]) == len(EXPECTED["line"]["text"])


def test_the_page_says_by_how_much_it_turned_a_picture(seen):
    turned = seen("pictures")["answers"]["turned"]
    assert turned["text"] == EXPECTED["turned"]["text"]
    assert turned["turned"] == "Turned 180° to be read."
    assert turned["said"].endswith("Turned 180° to be read.")
    assert turned["boxes"][0][1] > turned["boxes"][-1][1]  # over the picture as it is shown


def test_a_picture_without_a_digit_is_said_to_have_none(seen):
    empty = seen("pictures")["answers"]["empty"]
    assert empty["said"].startswith("No digit found in this picture.")
    assert (empty["text"], empty["best"]) == ("", [])


def test_a_stroke_on_a_picture_begins_anew(seen):
    assert read_in(seen("pictures")["drawn"]) == 4


def test_the_camera_reads_what_is_held_before_it(seen):
    assert seen("pictures")["taken"] == f"{EXPECTED['line']['text']}, 6 digits."
    assert seen("pictures")["open"] == 0


def test_the_page_works_offline_after_the_first_visit(seen):
    assert read_in(seen("offline")) == 6


def test_a_new_version_is_taken_at_once_and_kept_for_offline(seen):
    assert (seen("update")["updated"], seen("update")["title"]) == ("Newer MNIST", "Newer MNIST")
    assert read_in(seen("update")["said"]) == 2
    assert seen("update")["installable"] == []


def test_the_one_file_page_reads_from_the_disk_and_asks_for_nothing(seen, one_file):
    asked = [url for url in seen("oneFile")["requests"] if not url.startswith("blob:")]  # its own worker
    assert asked == [one_file.as_uri()]
    three, number = seen("oneFile")["answers"]
    assert (read_in(three), number, read_in(seen("oneFile")["picture"])) == (3, "2026, 4 digits.", 5)


def test_classes_with_names_are_called_by_them(seen):
    """A picture goes to such a network as a whole, as in Python."""
    answers = [answer.split(",")[0] for answer in (*seen("named")["answers"], seen("named")["picture"])]
    assert answers == ["This is a two", "This is a three", "This is a seven", "This is a seven"]
    assert (seen("named")["bars"], seen("named")["name"]) == (WORDS, "digits")
    assert seen("named")["shown"] == "seven"


def test_no_error_reached_the_console(seen):
    assert seen("errors") == []


@pytest.mark.slow
def test_the_page_of_the_tutorials_network_is_small_and_made_by_the_command(trained, tmp_path):
    target = tmp_path / "digits.html"
    done = hello_mnist("convert", trained, target, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lost"] == ["optimizer"]
    exact = target.stat().st_size
    assert exact < 2_500_000
    drawn = draw_digits(target)
    assert drawn["errors"] == []
    assert [[text.split(":")[0], *size] for text, *size in drawn["layers"]] == [
        ["The drawing, 28 \u00d7 28 pixels", 28, 28],
        ["Hidden layer", 32, 4],
        ["What each of the 128 units adds to each answer", 128, 10],
        ["Output layer", 10, 1],
    ]
    done = hello_mnist("convert", trained, target, "--quantize", "float16")
    assert done.returncode == 0, done.stderr
    assert target.stat().st_size < exact - 200_000


@pytest.mark.parametrize(
    ("shape", "layers", "message"),
    [
        ((32, 32), [keras.layers.Flatten(), keras.layers.Dense(10)], r"takes \(None, 32, 32\)"),
        ((28, 28, 3), [keras.layers.Flatten(), keras.layers.Dense(10)], r"takes \(None, 28, 28, 3\)"),
        ((28, 28), [keras.layers.Dense(10)], r"gives \(None, 28, 10\)"),
    ],
)
def test_a_model_of_other_pictures_is_refused(shape, layers, message, tmp_path):
    model = keras.Sequential([keras.Input(shape), *layers])
    (tmp_path / "digits.html").write_text("former")
    with pytest.raises(ValueError, match=message):
        single_file.write_page(model, tmp_path / "digits.html")
    assert (tmp_path / "digits.html").read_text() == "former"


def test_weights_alone_make_no_page(trained, tmp_path):
    done = hello_mnist("convert", trained.with_suffix(".missing.weights.h5"), tmp_path / "digits.html")
    assert done.returncode == 1
    assert "expected a model" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_graph_model_reads_in_the_page(shipped, tmp_path):
    model = keras.Model(shipped.inputs, keras.ops.clip(shipped.outputs[0], 0.0, 1.0))  # which no layer of TF.js does
    path = single_file.write_page(model, tmp_path / "graph.html")
    assert '"graph-model"' in path.read_text()
    assert draw_digits(path) == {"digits": list("0123456789"), "layers": [], "errors": []}


def draw_digits(path):
    """What the one-file page reads while the ten digits are drawn, and the pictures of its layers."""
    command = [find_node(), ROOT / "tests/browser/draw_digits.mjs", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_model_gets_a_softmax_or_none_once_and_for_all():
    """Sums of 0.98, as bytes give them, are probabilities; so is what such a model gives later, whatever its sum."""
    code = """
    import { withProbabilities } from "./model.js";
    const opened = (first, later) => withProbabilities({
      classes: 2,
      run: async (pixels, count) => Float32Array.from(Array(count).fill(count === 4 ? first : later).flat()),
    });
    const answers = [];
    for (const [first, later] of [[[0.5, 0.48], [0.6, 0.3]], [[-1, 1], [0.5, 0.5]], [[3, 3], [1, 0]]]) {
      answers.push([...await (await opened(first, later)).run(new Float32Array(784), 1)]);
    }
    console.log(JSON.stringify(answers));
    """
    command = [find_node(), "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=ROOT / "src/study_keras/page", capture_output=True, text=True, check=True)
    high = 1 / (1 + np.exp(-1))
    expected = [[0.6, 0.3], [0.5, 0.5], [high, 1 - high]]
    np.testing.assert_allclose(json.loads(done.stdout), expected, rtol=1e-6)

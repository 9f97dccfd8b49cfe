"""The view "Map": what is alike to the network lies near each other, and the drawing lies among its like."""

import json
import re

import numpy as np
import pytest
from browser_checks import node, run_checks
from conftest import COMMAND, ROOT

from study_keras import formats
from study_keras.serve import single_file
from study_keras.vision.marks import SHIPPED

RUN = """
import { readFileSync } from "node:fs";
import { nearest, placeAmong } from "./map/nearest.js";
import { principalComponents, project } from "./map/pca.js";
import { createTsne } from "./map/tsne.js";
const { folder, count, components } = JSON.parse(process.argv[1]);
const read = (name) => new Float32Array(new Uint8Array(readFileSync(`${folder}/${name}`)).buffer);
"""


def run(code, folder, **numbers):
    """Run JavaScript with the modules of the map; ``read(name)`` gives the numbers of a file in ``folder``."""
    return node(RUN + code, json.dumps({"folder": str(folder), **numbers}))


@pytest.fixture
def groups(tmp_path):
    """Points of five groups in 60 dimensions, in a file; their labels."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 5
    points = rng.normal(0, 6, (5, 60))[labels] + rng.normal(0, 1, (300, 60))
    points.astype(np.float32).tofile(tmp_path / "points")
    return labels


def test_the_components_are_those_of_the_singular_value_decomposition(groups, tmp_path):
    code = """
    const points = read("points");
    const found = principalComponents(points, count, components);
    console.log(JSON.stringify({ directions: [...found.directions], places: [...project(points, count, found)] }));
    """
    found = run(code, tmp_path, count=300, components=4)
    points = np.fromfile(tmp_path / "points", np.float32).reshape(300, 60)
    centred = points - points.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    directions = np.array(found["directions"]).reshape(4, 60)
    np.testing.assert_allclose(directions @ directions.T, np.eye(4), atol=1e-5)
    places = np.array(found["places"]).reshape(300, 4)
    np.testing.assert_allclose(places, centred @ directions.T, atol=1e-3)
    kept = (places**2).sum() / (values[:4] ** 2).sum()  # of what four directions can show at most
    assert 0.99 < kept <= 1.0001


def test_groups_stay_together_on_the_map(groups, tmp_path):
    code = """
    const { places, step } = createTsne(read("points"), count);
    for (let i = 0; i < 300; i++) step();
    console.log(JSON.stringify([...places]));
    """
    places = np.array(run(code, tmp_path, count=300)).reshape(-1, 2)
    away = ((places[:, None] - places) ** 2).sum(axis=2) + np.diag(np.full(300, np.inf))
    nearest = groups[np.argsort(away, axis=1)[:, :10]]
    assert (nearest == groups[:, None]).mean() > 0.99
    assert np.isfinite(places).all()


@pytest.mark.parametrize("count", [3, 40])
def test_few_points_and_equal_ones_have_a_map(tmp_path, count):
    np.ones((count, 5), np.float32).tofile(tmp_path / "points")
    code = """
    const points = read("points");
    const found = principalComponents(points, count, 2);
    const { places, step } = createTsne(project(points, count, found), count);
    for (let i = 0; i < 20; i++) step();
    console.log(JSON.stringify([...places]));
    """
    assert np.isfinite(run(code, tmp_path, count=count)).all()


def test_a_point_lies_among_its_nearest(groups, tmp_path):
    code = """
    const points = read("points");
    const found = nearest(points.subarray(60 * 7, 60 * 8), points, 4);
    const places = Float32Array.from({ length: 2 * count }, (_, k) => k);
    console.log(JSON.stringify({ found, place: placeAmong(found, places) }));
    """
    answer = run(code, tmp_path, count=300)
    points = np.fromfile(tmp_path / "points", np.float32).reshape(300, 60)
    assert [one["at"] for one in answer["found"]] == np.argsort(((points - points[7]) ** 2).sum(axis=1))[:4].tolist()
    assert sum(one["weight"] for one in answer["found"]) == pytest.approx(1)
    np.testing.assert_allclose(answer["place"], [14, 15], atol=1e-3)  # it is the seventh itself


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A function: what came of one of the checks in check_map.mjs."""
    folder = tmp_path_factory.mktemp("map")
    one_file = single_file.write_page(formats.load_tfjs(SHIPPED / "digits.tfjs"), folder / "map.html", prove=False)
    server = [str(COMMAND), "serve", "--port", "0"]
    spec = {"one_file": str(one_file), "photo": str(ROOT / "tests/golden/paper_8.png"), "server": server}
    return run_checks("check_map.mjs", spec, folder)


def test_a_drawing_lies_among_images_of_its_digit(seen):
    drawing = seen("drawing")
    assert drawing["note"].startswith("500 test images")
    assert "\u201cFourth convolution: 64 filters" in drawing["note"]
    assert drawing["nothing"] == "Draw a digit and watch it move on the map."
    for digit, neighbours in drawing["neighbours"].items():
        assert len(neighbours) == 8
        assert neighbours.count(digit) >= 6
    assert drawing["label"] == "A map of 500 test images; your digit lies among the 7s"


def test_the_map_shows_where_the_drawing_is(seen):
    assert seen("moves")["before"] != seen("moves")["after"]


def test_the_digit_of_a_photo_lies_among_its_like_too(seen):
    assert seen("photo").count("5") >= 3  # it leans


def test_pointing_at_an_image_shows_it(seen):
    said = [text for text in seen("pointing")["said"] if text]
    assert seen("pointing")["pictures"] == 1
    assert len(said) > 3
    assert all(re.fullmatch(r"A (\d), read as (one|a \d)\.", text) for text in said)


def test_each_model_has_its_own_map(seen):
    models = seen("models")
    assert models["note"].startswith("2,000 test images")
    assert models["lite"] == "This model shows no layers; choose a TensorFlow.js model to see its map."
    assert models["neighbours"].count("8") >= 6


def test_a_phone_shows_the_map_in_both_languages_without_scrolling_sideways(seen):
    phone = seen("phone")
    assert phone["chinese"]["overflow"] <= 0
    assert (phone["chinese"]["title"], phone["english"]["title"]) == ("数字的地图", "A map of the digits")
    assert phone["chinese"]["said"].startswith("在网络看来")
    assert phone["english"]["said"].startswith("To the network")


def test_the_keyboard_alone_draws_on_the_map(seen):
    assert seen("keyboard")["neighbours"].count("1") >= 6
    assert seen("keyboard")["announced"] == "The map is complete."


def test_axe_finds_no_barrier_in_the_map(seen):
    assert seen("axe") == {"light": [], "dark": []}


def test_the_map_sends_no_request_and_no_error_reaches_the_console(seen):
    assert seen("errors") == []
    own = ("file:", "blob:", seen("models")["url"])
    assert [url for url in seen("requests") if not url.startswith(own)] == []

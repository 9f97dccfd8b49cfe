"""The view "Map": what is alike to the network lies near each other, and the drawing lies among its like."""

import json

import numpy as np
import pytest
from test_train_view import node

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

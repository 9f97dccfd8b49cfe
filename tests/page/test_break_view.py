"""Breaking a network in the page: the arithmetic is NumPy's, and the view "Break" works in a real browser."""

import json
import re

import keras
import numpy as np
import pytest
from browser_checks import node, run_checks
from conftest import COMMAND

from study_keras import mnist
from study_keras.serve import single_file

CONVOLUTION = {
    "type": "Conv2D",
    "shape": [28, 28, 6],
    "weights": [{"name": "kernel", "shape": [3, 3, 2, 6]}, {"name": "bias", "shape": [6]}],
}
WHOLE = {"noise": 0, "bits": 32, "units": 1000, "noBias": False, "zero": False}
WORDS = ["ape", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay"]
UNCHANGED = {"pen": 0, "turn": 0, "right": 0, "down": 0, "noise": 0}


@pytest.fixture(scope="module")
def weights():
    generator = np.random.default_rng(1)
    return [generator.normal(0.01, 0.2, (3, 3, 2, 6)).astype(np.float32), generator.normal(0, 1, 6).astype(np.float32)]


def damaged(weights, layer=CONVOLUTION, **damage):
    code = """
    import { damaged } from "./break/damage.js";
    const [layer, weights, damage] = JSON.parse(process.argv[1]);
    const arrays = weights.map((values) => Float32Array.from(values));
    const found = damaged(layer, arrays, damage, 7);
    const unchanged = JSON.stringify(arrays.map((values) => [...values])) === JSON.stringify(weights);
    if (!unchanged) throw new Error("the originals have changed");
    console.log(JSON.stringify(found.map((values) => [...values])));
    """
    given = [weight.ravel().astype(float).tolist() for weight in weights]
    found = node(code, json.dumps([layer, given, {**WHOLE, **damage}]))
    return [np.reshape(values, weight.shape) for values, weight in zip(found, weights, strict=True)]


def test_without_damage_the_weights_are_the_same(weights):
    for found, weight in zip(damaged(weights), weights, strict=True):
        np.testing.assert_array_equal(found, weight)


def test_zero_and_no_bias(weights):
    kernel, bias = weights
    assert not any(part.any() for part in damaged(weights, zero=True, noise=1))
    found = damaged(weights, noBias=True)
    np.testing.assert_array_equal(found[0], kernel)
    assert not found[1].any()
    assert bias.any()


def test_the_first_units_stay(weights):
    for part, weight in zip(damaged(weights, units=2), weights, strict=True):
        np.testing.assert_array_equal(part[..., :2], weight[..., :2])
        assert not part[..., 2:].any()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_are_rounded_to_levels_at_equal_distances(bits, weights):
    kernel, bias = damaged(weights, bits=bits)
    low, high = weights[0].min(), weights[0].max()
    levels = np.linspace(low, high, 2**bits)
    nearest = levels[np.abs(weights[0][..., None] - levels).argmin(-1)]
    np.testing.assert_allclose(kernel, nearest, atol=1e-6)
    np.testing.assert_array_equal(bias, weights[1])


def test_one_bit_is_the_sign(weights):
    kernel, _ = damaged(weights, bits=1)
    np.testing.assert_allclose(kernel, np.sign(weights[0]) * np.abs(weights[0]).mean(), rtol=1e-5)


def test_noise_has_the_deviation_that_is_asked_for_and_repeats_itself():
    kernel = np.random.default_rng(2).normal(0, 0.3, (60, 50)).astype(np.float32)
    layer = {"type": "Dense", "shape": [50], "weights": [{"name": "kernel", "shape": [60, 50]}]}
    [first], [again], [twice] = (damaged([kernel], layer, noise=noise) for noise in (0.5, 0.5, 1))
    np.testing.assert_array_equal(first, again)
    added = first - kernel
    assert abs(added.std() / kernel.std() - 0.5) < 0.03
    assert abs(added.mean() / kernel.std()) < 0.02
    np.testing.assert_allclose(twice - kernel, 2 * added, atol=1e-6)


def test_damages_of_a_layer_combine_in_their_order(weights):
    """Noise, then rounding, then fewer units."""
    noisy = damaged(weights, noise=1)
    rounded = damaged(noisy, bits=2)
    together = damaged(weights, noise=1, bits=2, units=4)
    np.testing.assert_allclose(together[0][..., :4], rounded[0][..., :4], atol=1e-6)
    assert not together[0][..., 4:].any()


def test_a_normalization_keeps_its_means_and_variances():
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    layer = {
        "type": "BatchNormalization",
        "shape": [5, 5, 3],
        "weights": [{"name": name, "shape": [3]} for name in names],
    }
    given = [np.arange(1, 4, dtype=np.float32) + i for i in range(4)]
    gamma, beta, mean, variance = damaged(given, layer, units=1)
    assert (gamma.tolist(), beta.tolist()) == ([1, 0, 0], [2, 0, 0])
    assert (mean.tolist(), variance.tolist()) == (given[2].tolist(), given[3].tolist())


@pytest.fixture(scope="module")
def image():
    return mnist.load_data()[0][0][7].astype(np.float32) / 255


def changed(image, seed=1, **change):
    code = """
    import { changedImage } from "./break/inputs.js";
    const [pixels, change, seed] = JSON.parse(process.argv[1]);
    const image = Float32Array.from(pixels);
    const found = changedImage(image, change, seed);
    const unchanged = image.every((value, i) => value === Math.fround(pixels[i]));
    if (found === image || !unchanged) throw new Error("the image itself has changed");
    console.log(JSON.stringify([...found]));
    """
    given = [image.ravel().astype(float).tolist(), {**UNCHANGED, **change}, seed]
    return np.reshape(node(code, json.dumps(given)), (28, 28))


def neighbours(image):
    padded = np.pad(image, 1)
    return np.stack([image, padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])


def test_an_image_is_shifted(image):
    np.testing.assert_array_equal(changed(image), image)
    expected = np.zeros_like(image)
    expected[3:, :-5] = image[:-3, 5:]
    np.testing.assert_array_equal(changed(image, right=-5, down=3), expected)


@pytest.mark.parametrize(("turn", "quarters"), [(90, -1), (-90, 1), (180, 2)])
def test_a_quarter_turn_is_that_of_numpy(turn, quarters, image):
    np.testing.assert_allclose(changed(image, turn=turn), np.rot90(image, quarters), atol=1e-5)


def test_a_turn_by_an_angle_moves_a_point_clockwise():
    point = np.zeros((28, 28), np.float32)
    point[13:15, 22:24] = 1  # 9 pixels right of the middle
    y, x = np.indices(point.shape) - 13.5
    found = changed(point, turn=30)
    middle = [(found * axis).sum() / found.sum() for axis in (x, y)]
    np.testing.assert_allclose(middle, [9 * np.cos(np.pi / 6), 9 * np.sin(np.pi / 6)], atol=0.1)


def test_the_pen_grows_and_shrinks(image):
    np.testing.assert_array_equal(changed(image, pen=1), neighbours(image).max(0))
    np.testing.assert_array_equal(changed(image, pen=-2), neighbours(neighbours(image).min(0)).min(0))


def test_noise_on_an_image_stays_in_its_range_and_repeats_itself():
    grey = np.full((28, 28), 0.5, np.float32)
    found = changed(grey, noise=0.1)
    assert abs(found.std() - 0.1) < 0.01
    np.testing.assert_array_equal(found, changed(grey, noise=0.1))
    assert np.abs(found - changed(grey, seed=2, noise=0.1)).max() > 0.1
    strong = changed(grey, noise=1)
    assert (strong.min(), strong.max()) == (0, 1)


def test_the_frame_is_what_a_value_depends_on():
    """Each receptive field is that which Keras' own layers show when a pixel changes."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(2, 5, padding="same"),
            keras.layers.AveragePooling2D(2),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(2, 3, strides=2, padding="same"),
            keras.layers.Conv2D(2, (1, 3), padding="valid"),
            keras.layers.AveragePooling2D(2, padding="same"),
        ]
    )
    layers = []
    for layer in model.layers:
        config = {name: getattr(layer, key) for name, key in KEYS.items() if hasattr(layer, key)}
        layers.append({"type": layer.__class__.__name__, "config": config, "shape": layer.output.shape[1:]})
    code = """
    import { fieldOf } from "./break/field.js";
    const layers = JSON.parse(process.argv[1]);
    const fields = layers.map(({ shape }, at) => (
      Array.from({ length: shape[0] * shape[1] }, (_, place) => fieldOf(layers.slice(0, at + 1), place))));
    console.log(JSON.stringify([fields, fieldOf([...layers, { type: "Add", config: {}, shape: [4, 3, 2] }], 0)]));
    """
    fields, unknown = node(code, json.dumps(layers))
    assert unknown is None
    pixels = np.eye(784).reshape(784, 28, 28, 1)
    for layer, found in zip(model.layers, fields, strict=True):
        outputs = keras.Model(model.inputs, layer.output)
        differs = np.abs(outputs.predict(pixels, verbose=0) - outputs.predict(0 * pixels[:1], verbose=0)).max(-1) > 1e-7
        for field, seen_by in zip(found, differs.reshape(784, -1).T, strict=True):
            rows, columns = np.nonzero(seen_by.reshape(28, 28))
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            assert [field[side] for side in ("left", "top", "width", "height")] == box


KEYS = {"kernelSize": "kernel_size", "poolSize": "pool_size", "strides": "strides", "padding": "padding"}


def test_the_strongest_images_of_each_unit_are_found():
    outputs = np.random.default_rng(3).normal(size=(25, 4, 4, 3)).astype(np.float32)
    outputs[..., 2] = 0
    code = """
    import { measureUnits, strongest } from "./break/excites.js";
    globalThis.requestAnimationFrame = setImmediate;
    const numbers = Float32Array.from(JSON.parse(process.argv[1]));
    const pixels = Float32Array.from({ length: 784 * 25 }, (_, i) => Math.floor(i / 784));
    const images = { pixels, labels: new Uint8Array(25) };
    const outputs = async (pixels, count) => numbers.subarray(48 * pixels[0], 48 * (pixels[0] + count));
    const found = await measureUnits(outputs, 3, images, () => true);
    const given = await measureUnits(outputs, 3, images, () => false);
    console.log(JSON.stringify([given, ...[0, 1, 2].map((unit) => strongest(found, unit, 5))]));
    """
    cancelled, *units, dead = node(code, json.dumps(outputs.ravel().tolist()))
    assert cancelled is None
    assert dead == []
    for unit, found in enumerate(units):
        maps = outputs[..., unit].reshape(25, 16)
        order = np.argsort(-maps.max(1))[:5]
        assert [one["image"] for one in found] == order.tolist()
        assert [one["place"] for one in found] == maps[order].argmax(1).tolist()
        np.testing.assert_allclose([one["value"] for one in found], maps[order].max(1), rtol=1e-6)


def nearest_mean():
    """A network whose hidden unit `d` compares an image with the mean of the digit `d`."""
    images, labels = mnist.load_data()[0]
    means = np.stack([images[labels == digit].mean(0).ravel() / 255 for digit in range(10)])
    dense = [keras.layers.Dense(10), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), *dense])
    dense[0].set_weights([2 * (means - means.mean(0)).T, -(means**2).sum(1)])
    dense[1].set_weights([0.3 * np.eye(10), np.zeros(10)])
    return model


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A function: what came of one of the checks in check_break.mjs."""
    folder = tmp_path_factory.mktemp("break")
    model = nearest_mean()
    one_file = single_file.write_page(model, folder / "break.html", prove=False)
    named = single_file.write_page(model, folder / "named.html", classes=WORDS, prove=False)
    server = [str(COMMAND), "serve", "--port", "0"]
    return run_checks("check_break.mjs", {"one_file": str(one_file), "named": str(named), "server": server}, folder)


def test_damage_changes_the_answers_and_the_accuracy(seen):
    damage = seen("damage")
    whole = damage["whole"]
    assert 75 < whole["accuracy"] < 90
    assert whole["status"] == f"{whole['accuracy']} % of 500 test images read correctly."
    assert damage["zero"]["accuracy"] == 10
    assert damage["zero"]["shares"] == ["10 %"] * 10
    assert (
        damage["zero"]["status"]
        == f"10.0 % of 500 test images read correctly, {whole['accuracy']} % without the changes."
    )
    assert damage["zero"]["said"].startswith("Read as 0, 10 %; without the changes as 3, ")
    assert abs(damage["bytes"]["accuracy"] - whole["accuracy"]) <= 1
    assert damage["bit"]["accuracy"] < whole["accuracy"] - 5
    for name in ("noise", "units", "bias", "right", "turn", "pen", "grain"):
        assert damage[name]["accuracy"] < whole["accuracy"], name
        assert damage[name]["shares"] != whole["shares"], name
    assert damage["units"]["accuracy"] < 32  # three digits of ten are left
    for name in ("right", "turn", "pen", "grain"):
        assert damage[name]["image"] != whole["image"]
    assert damage["undone"] == whole


def test_undoing_and_leaving_give_the_same_weights_bit_for_bit(seen):
    found = seen("weights")
    assert found["damaged"] != found["whole"]
    assert found["left"] == found["whole"]
    assert (found["back"], found["kept"]) == (found["damaged"], "3")
    assert found["undone"] == found["whole"]
    assert re.fullmatch(r"99\.\d % of 1,000 test images read correctly\.", found["said"])


def test_a_measurement_may_be_left(seen):
    found = seen("hasty")
    assert found["left"] == seen("weights")["whole"] != found["back"]
    assert re.fullmatch(r".* read correctly, 99\.\d % without the changes\.", found["said"])


def test_another_model_starts_whole(seen):
    models = seen("models")
    lite = models["lite"]
    assert lite["down"] == "10"
    assert lite["note"].startswith("Only the image can be changed for this model.")
    assert lite["accuracy"] > 99
    assert lite["said"].startswith("Read as 8, ")
    assert models["again"] == models["whole"]
    assert models["accuracy"] > 99
    assert models["said"].startswith("Read as 8, ")


def test_what_excites_a_unit_is_its_digit(seen):
    excites = seen("excites")
    for digit, unit in zip("017", excites["units"], strict=True):
        assert unit["labels"].count(digit) >= 11
        assert unit["said"] == f"The labels of the images that excite it most: {', '.join(unit['labels'])}."
    assert excites["clicked"] == "4 / 10"
    assert excites["weights"] == [28, 28]
    assert excites["dead"] == "It gives the same value for every image: nothing excites it."
    assert excites["output"] == {"weights": False, "images": 12}


def test_the_frames_are_as_large_as_what_a_feature_map_sees(seen):
    found = seen("convolutions")
    first, fifth = (np.array(frames) for frames in found["frames"])
    assert len(first) == len(fifth) == 12
    assert (first <= 5.01).all()
    assert ((fifth > 10) & (fifth <= 28)).all()
    assert found["about"].startswith("Of 2,000 training images")
    assert found["count"] == "of 1,000 test images read correctly"


def test_frames_are_shown_while_it_measures(seen):
    gaps = np.array(seen("smooth"))
    print(f"{len(gaps)} frames: median {np.median(gaps):.0f} ms, longest {gaps.max():.0f} ms")
    assert len(gaps) > 10
    assert np.median(gaps) < 100


def test_classes_with_names_are_no_digits_to_test(seen):
    named = seen("named")
    assert named["said"].startswith("Read as ape, 10 %; without the changes as dog, ")
    assert named["count"].startswith("This network does not read digits")
    assert named["names"] == WORDS


def test_a_phone_shows_both_languages_without_scrolling_sideways(seen):
    phone = seen("phone")
    assert phone["chinese"]["overflow"] <= 0
    assert phone["english"]["overflow"] <= 0
    chinese = ["图像与网络", "图像", "隐藏层", "输出层", "什么能激活一个神经元"]
    assert all(map(str.startswith, phone["chinese"]["titles"], chinese))
    assert len(phone["chinese"]["titles"]) == len(chinese)
    assert phone["english"]["titles"][:3] == ["Image and network", "Image", "Hidden layer: 10 units"]
    assert (phone["chinese"]["accuracy"], phone["english"]["accuracy"]) == ("准确率 10.0 %", "accuracy 10.0 %")
    assert min(phone["english"]["buttons"]) >= 44


def test_the_keyboard_alone_breaks_chooses_and_undoes(seen):
    expected = {"outline": "solid", "broken": 2, "texts": ["100 %", "1"], "unit": "10 / 10", "undone": True}
    assert seen("keyboard") == expected


def test_axe_finds_no_barrier_in_the_breaking(seen):
    assert seen("axe") == {"light new": [], "light": [], "dark new": [], "dark": []}


def test_no_request_left_the_page_and_no_error_reached_the_console(seen):
    assert seen("errors") == []
    own = ("file:", "blob:", seen("url"))
    assert [url for url in seen("requests") if not url.startswith(own)] == []

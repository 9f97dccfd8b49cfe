"""What the networks in the package are trained on: the same for the same seed, with the right targets."""

import json
from contextlib import suppress

import numpy as np
import pytest
from finder import networks
from finder.cells import cells_of
from finder.examples import batches, composed, load_signs, normalized_marks, page
from finder.proposals import named
from finder.views import views_of
from scenes import ROOT
from synthetic.digits import ANGULAR, sketched
from synthetic.layers import EITHER, Scene

from study_keras.vision.classifier import load_network
from study_keras.vision.marks import COLUMNS, NONE, ROWS, SHIPPED, SPAN, load_finder

FEW = 60  # digits that pages are written with


@pytest.mark.parametrize("kind", ["detector", "reader"])
def test_batches_depend_only_on_the_seed(kind):
    with composed(kind, 3, 2, str(SHIPPED), FEW) as elsewhere:
        for here, there in zip(range(2), batches(kind, 3, 2, str(SHIPPED), FEW), strict=False):
            for one, other in zip(next(elsewhere), there, strict=True):
                np.testing.assert_array_equal(one, other, err_msg=str(here))


def test_batches_end_with_the_training_and_with_their_process():
    with suppress(ZeroDivisionError), composed("detector", 3, 2, "", FEW) as elsewhere:
        next(elsewhere)
        raise ZeroDivisionError  # the training fails
    with pytest.raises(ValueError, match="closed file"):
        next(elsewhere)
    with composed("reader", 3, 2, "no/folder", FEW) as elsewhere, pytest.raises(EOFError):
        next(elsewhere)


def scene_of(box, label):
    layer = np.zeros((48, 64), np.uint8)
    return Scene(layer, layer, np.array([box], np.float32), np.array([label]), [np.zeros((0, 0), np.uint8)])


def test_the_cells_of_a_digit_tell_its_box():
    box = (10, 12, 26, 40)
    cells = cells_of(scene_of(box, 7), (48, 64), True)
    rows, columns = np.nonzero(cells[..., 0] == 1)
    assert (26 // ROWS, 18 // COLUMNS) in set(zip(rows.tolist(), columns.tolist(), strict=True))
    x, y = (columns + 0.5) * COLUMNS, (rows + 0.5) * ROWS
    left, top, right, bottom = SPAN * cells[rows, columns, 1:5].T
    for found, side in zip((x - left, y - top, x + right, y + bottom), box, strict=True):
        np.testing.assert_allclose(found, side, atol=1e-4)
    assert cells[rows, columns, 5].all()


def test_the_cells_of_a_thin_digit_weigh_more():
    thin, wide = (cells_of(scene_of(box, 1), (48, 64), True) for box in ((20, 4, 24, 44), (10, 4, 40, 44)))
    thin, wide = (cells[..., 6][cells[..., 0] == 1] for cells in (thin, wide))
    assert len(thin) < len(wide)
    assert thin.min() > wide.max()


@pytest.mark.parametrize(
    ("box", "label"),
    [
        ((10, 10, 30, 40), 2),
        ((9, 9, 32, 42), 2),
        ((10, 10, 50, 40), NONE),  # two digits beside each other
        ((10, 10, 36, 40), 2),  # one, and a thin one beside it
        ((10, 10, 20, 20), NONE),
        ((20, 10, 36, 40), EITHER),  # the half of one
    ],
)
def test_a_box_that_frames_two_digits_is_of_none(box, label):
    boxes = np.array([(10, 10, 30, 40), (31, 10, 35, 40), (31, 10, 50, 40)], np.float32)
    layer = np.zeros((48, 64), np.uint8)
    which = [0, 1] if box[2] == 36 else [0, 2]
    scene = Scene(layer, layer, boxes[which], np.array([2, 1, 3])[which], [])
    assert named(box, scene)[0] == label


@pytest.mark.parametrize("label", [*ANGULAR, 1, 7])
def test_each_digit_is_sketched(label):
    rng = np.random.default_rng(label)
    images, labels = sketched(400, rng)
    images = images[labels == label]
    assert len(images) >= 10
    assert images.shape[1:] == (28, 28)
    assert images.max() == 1


@pytest.mark.parametrize(("box", "label"), [((10, 12, 26, 40), EITHER), ((10, 12, 20, 30), 7)])
def test_a_digit_that_may_be_found_or_not_is_left_out(box, label):
    there = cells_of(scene_of(box, label), (48, 64), True)[..., 0]
    assert there.min() == -1
    assert there.max() == 0


def test_a_digit_that_is_too_large_is_none():
    assert not cells_of(scene_of((0, 0, 40, 60), 7), (64, 64), True)[..., 0].any()


def test_views_show_bright_ink_in_its_own_place():
    signs, rng = load_signs([3, 0], FEW), np.random.default_rng(3)
    common = []
    for _ in range(20):
        views, labels, inks = views_of(*page(signs, rng), rng, 4)
        common += [
            np.corrcoef(view.ravel(), ink.ravel())[0, 1]
            for view, label, ink in zip(views, labels, inks, strict=True)
            if label != NONE
        ]
        assert all(not ink.any() for label, ink in zip(labels, inks, strict=True) if label == NONE)
    assert len(common) > 20
    assert np.median(common) > 0.5


def test_marks_on_pages_are_named_as_the_network_of_one_digit_reads_them():
    signs = load_signs([3, 0], FEW)
    images, labels = normalized_marks(60, signs, np.random.default_rng(3), load_finder())
    assert images.shape == (60, 28, 28)
    assert images.max(axis=(1, 2)).min() == 1
    digits = labels != NONE
    assert (load_network()(images[digits]).argmax(axis=1) == labels[digits]).mean() > 0.85


def test_no_network_is_trained_on_the_fonts_of_the_tests():
    trained, tested = (
        set(json.loads((ROOT / folder / "package.json").read_text())["dependencies"])
        for folder in ("tools/fonts", "tests/browser")
    )
    assert len(trained) > 70
    assert not trained & tested


@pytest.mark.parametrize(("kind", "shape"), [("detector", (1, 16, 32, 1)), ("reader", (4, 32, 32, 1))])
def test_the_exported_network_gives_the_same_without_batch_normalization(kind, shape, tmp_path):
    rng = np.random.default_rng(3)
    trained = networks.NETWORKS[kind]()
    trained.set_weights(
        [rng.uniform(0.1, 0.5, weights.shape) - 0.2 * (weights.ndim > 1) for weights in trained.get_weights()]
    )
    trained.save_weights(tmp_path / "trained.weights.h5")
    folded = networks.load(kind, tmp_path / "trained.weights.h5")
    values = rng.uniform(-1, 1, shape).astype(np.float32)
    for one, other in zip(_outputs(trained, values), _outputs(folded, values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def _outputs(model, values):
    outputs = model.predict(values, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]

"""A picture at several sizes, by its local contrast: size, light and brightness do not change what is seen."""

from itertools import pairwise

import numpy as np
import photos
import pytest
from pages import box_of
from scenes import enlarge, paper

from study_keras import mnist
from study_keras.vision import levels
from study_keras.vision.levels import contrast, levels_of
from study_keras.vision.recognize import detect


@pytest.fixture(scope="module")
def page():
    """Dark ink on paper, (130, 170)."""
    ink = np.pad(enlarge(mnist.load_data()[1][0][0], 4), ((10, 8), (20, 38)))
    return np.clip(paper(ink.shape, np.random.default_rng(1)) * (1 - 0.7 * ink), 0, 1)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(3, 3), (30, 200), (49, 49)])
def test_even_paper_has_no_contrast(value, shape):
    np.testing.assert_allclose(contrast(np.full(shape, value)), 0, atol=1e-5)


def test_contrast_is_the_distance_from_the_mean_around_in_deviations(page):
    found = contrast(page)
    assert found.dtype == np.float32
    assert np.abs(found).max() <= 1
    for row, column in ((0, 0), (60, 60), (129, 169), (5, 100)):
        around = page[max(row - 24, 0) : row + 25, max(column - 24, 0) : column + 25]
        expected = (page[row, column] - around.mean()) / (around.std() + levels.FLOOR) / levels.RANGE
        assert found[row, column] == pytest.approx(np.clip(expected, -1, 1), abs=1e-6)


def test_neither_brightness_nor_gain_change_the_contrast_of_ink(page):
    found, inked = contrast(page), page < 0.5
    np.testing.assert_allclose(contrast(0.9 * page + 0.1), contrast(0.9 * page), atol=1e-5)
    np.testing.assert_allclose(contrast(0.5 * page)[inked], found[inked], rtol=0.15)
    np.testing.assert_allclose(contrast(1 - page), -found, atol=1e-5)


def test_a_shadow_changes_little_of_what_is_seen(page):
    shadow = np.linspace(1, 0.4, page.shape[1])
    inked = page < 0.5
    assert np.abs(contrast(page * shadow) - contrast(page))[inked].mean() < 0.05


@pytest.mark.parametrize("factor", [2, 4])
def test_a_larger_picture_is_the_same_after_some_halvings(page, factor):
    small, large = levels_of(page), levels_of(np.kron(page, np.ones((factor, factor))))
    more = len(large) - len(small)
    assert more == np.log2(factor)
    for one, other in zip(small, large[more:], strict=True):
        np.testing.assert_allclose(one.contrast, other.contrast, atol=1e-6)
        assert other.scale == factor * one.scale


@pytest.mark.parametrize("shape", [(100, 1000), (1024, 300), (65, 65), (64, 64), (28, 28), (3, 64), (3, 1000)])
def test_levels_are_halves_down_to_one_digit(shape):
    found = levels_of(np.random.default_rng(2).random(shape))
    doubled = max(shape) <= levels.SMALL
    assert found[0].contrast.shape == tuple((2 if doubled else 1) * side for side in shape)
    assert found[0].scale == (0.5 if doubled else 1)
    for one, other in pairwise(found):
        assert other.contrast.shape == tuple(-(-side // 2) for side in one.contrast.shape)
        assert other.scale == 2 * one.scale
    last = found[-1].contrast.shape
    assert max(last) < 40 or min(last) < 6


def test_a_small_picture_is_doubled_without_a_shift():
    ramp = np.tile(np.linspace(0, 1, 30), (30, 1))
    doubled = levels.doubled(ramp)
    assert doubled.shape == (60, 60)
    middles = (np.arange(60) + 0.5) / 2 - 0.5  # of the new pixels, in old ones
    np.testing.assert_allclose(doubled[7, 1:-1], middles[1:-1] / 29, atol=1e-12)


def test_a_large_picture_is_averaged():
    grey = np.random.default_rng(3).random((35, 2500))
    small, k = levels.downscale(grey, levels.MAX_SIDE)
    assert k == 3
    np.testing.assert_allclose(small, grey[:33, :2499].reshape(11, 3, 833, 3).mean(axis=(1, 3)))
    assert levels_of(grey)[0].scale == 3


def test_a_digit_is_found_at_any_size():
    read, images, found = photos.reader().keywords, mnist.load_data()[1][0][:10], []
    for image in images:
        plain = np.pad(enlarge(image, 2), 8)
        for size in (1, 2, 4, 8):
            page = 0.9 - 0.7 * np.kron(plain, np.ones((size, size)))
            answer = detect(page, **read).candidates
            top, bottom, left, right = (size * side for side in box_of(plain))
            off = np.abs(np.array(answer[0].box) - (left, top, right, bottom)).max() if answer else np.inf
            found.append((len(answer), off < 6 * size, answer and answer[0].label))
    same = [len({one[2] for one in found[at : at + 4]}) == 1 for at in range(0, 40, 4)]
    assert sum(one[:2] == (1, True) for one in found) >= 38, found
    assert sum(same) >= 9, found

"""Votes: who says which digit a mark is, and on which views of it. The networks are none here."""

import numpy as np
import pytest

from study_keras.vision.classifier import Network
from study_keras.vision.levels import Level
from study_keras.vision.marks import Finder, Mark
from study_keras.vision.votes import CLOSER, WIDER, may_count, votes

BOX = (40, 20, 84, 64)  # in pixels of the picture, of which the level has half as many


@pytest.fixture
def levels():
    """One level in which the mark is a square of 22 pixels."""
    contrast = np.zeros((50, 70), np.float32)
    contrast[10:32, 20:42] = -1
    return [Level(contrast, contrast, 2.0)]


def row_of(label, probability):
    """Return probabilities of ten classes; the others share what is left."""
    return np.where(np.arange(10) == label, probability, (1 - probability) / 9).astype(np.float32)


def mark_of(probabilities, none=0.0):
    ink = np.full((32, 32), 0.9, np.float32)
    return Mark(BOX, 0.9, np.append((1 - none) * probabilities, none), ink, (30, 10, 64), True, 0)


def networks_of(shown, *, shipped=True):
    """Return a network that says ``shown`` in turn, and a finder whose reader is sure of a 3; and what that saw."""
    said, seen = iter(shown), []

    def read(views):
        seen.append(views[0, ..., 0])
        return np.where(np.arange(11) == 3, 30, 0).astype(np.float32), np.full((32, 32), 9, np.float32)

    network = Network(lambda images: np.array([next(said) for _ in images]), shipped)
    return network, Finder(None, read), seen


def test_the_network_and_the_reader_vote_together(levels):
    network, finder, seen = networks_of([row_of(7, 0.98)])
    images, rows, _ = votes([mark_of(row_of(7, 0.9))], levels, network, finder)
    np.testing.assert_allclose(rows, [row_of(7, 0.94)], atol=1e-6)
    assert images.shape == (1, 28, 28)
    assert not seen  # it is certain


def test_an_uncertain_mark_is_looked_at_closer_and_wider(levels):
    network, finder, seen = networks_of([row_of(5, 0.6), row_of(3, 0.8), row_of(3, 1)])
    _, rows, _ = votes([mark_of(row_of(5, 0.6), none=0.5)], levels, network, finder)
    expected = (0.5 * row_of(5, 0.6) + row_of(3, 0.9) + row_of(3, 1)) / 2.5  # by the probability of a digit
    np.testing.assert_allclose(rows, [expected], atol=1e-6)
    ink = [float(view.sum()) for view in seen]  # of 22 pixels, as many times smaller as the view is larger
    np.testing.assert_allclose(ink, [(22 / scale) ** 2 for scale in (CLOSER, WIDER)], rtol=1e-4)


def test_only_the_uncertain_marks_are_looked_at_again(levels):
    network, finder, seen = networks_of([row_of(1, 1), row_of(5, 0.6), row_of(3, 1), row_of(3, 1)])
    _, rows, _ = votes([mark_of(row_of(1, 1)), mark_of(row_of(5, 0.6))], levels, network, finder)
    assert rows.argmax(axis=1).tolist() == [1, 3]
    assert len(seen) == 2


def test_the_network_has_a_share_in_whether_a_mark_is_a_digit(levels):
    for none, sureness, expected in ((0.8, 1, 0.36), (0.8, 0.1, 0.135), (0.2, 1, 0.765), (1, 1, 0.225)):
        network, finder, _ = networks_of([row_of(5, sureness), *[row_of(5, 1)] * 2])
        mark = mark_of(row_of(5, 0.99), none)
        assert votes([mark], levels, network, finder)[2] == pytest.approx([expected], abs=1e-6)
        assert may_count(mark) == (none < 1)  # the network alone cannot make a digit of it


def test_any_other_network_is_alone(levels):
    network, finder, seen = networks_of([row_of(5, 0.6)], shipped=False)
    _, rows, likely = votes([mark_of(row_of(3, 1), none=0.2)], levels, network, finder)
    np.testing.assert_array_equal(rows, [row_of(5, 0.6)])
    assert likely == pytest.approx([0.9 * 0.8])
    assert not seen

"""Traces: ink that is doubtful beside clear digits, because it is much fainter or much shorter than they are."""

import numpy as np
import pytest

from study_keras.vision.levels import Level
from study_keras.vision.marks import NONE, Mark
from study_keras.vision.traces import without_traces
from study_keras.vision.views import VIEW


@pytest.fixture
def draw():
    """Return the level of a page, and a function that draws a stroke on it and returns it as a mark."""
    light = np.full((100, 300), 0.9)

    def stroke(left, top, height, ink, score):
        light[top : top + height, left + height // 2 - 2 : left + height // 2 + 2] -= ink
        box = (left + height // 2 - 2, top, left + height // 2 + 2, top + height)
        own = np.zeros((VIEW, VIEW), np.float32)
        wide = round(2 * VIEW / height)
        own[:, 16 - wide : 16 + wide] = 1
        probabilities = np.where(np.arange(NONE + 1) == 1, 1.0, 0.0)
        return Mark(box, score, probabilities, own, (left, top, height), True, 0)

    return [Level(light, light.astype(np.float32), 1.0)], stroke


@pytest.mark.parametrize(
    ("height", "ink", "score", "stays"),
    [
        (60, 0.6, 0.9, True),  # as clear as the other
        (60, 0.6, 0.4, True),  # doubtful, but as large and as dark
        (60, 0.1, 0.4, False),  # fainter: wiped off
        (60, 0.2, 0.9, True),  # written fainter
        (60, 0.05, 0.9, False),  # hardly to be seen
        (24, 0.6, 0.4, False),  # shorter: a stray stroke
        (24, 0.6, 0.9, True),  # written smaller
        (45, 0.6, 0.4, True),  # a little smaller
    ],
)
def test_doubtful_ink_is_a_trace_if_it_is_much_fainter_or_shorter_than_a_clear_digit(draw, height, ink, score, stays):
    levels, stroke = draw
    clear, other = stroke(20, 20, 60, 0.6, 0.9), stroke(180, 20, height, ink, score)
    assert without_traces([clear, other], levels) == ([clear, other] if stays else [clear])


def test_nothing_is_a_trace_where_nothing_is_clear(draw):
    levels, stroke = draw
    marks = [stroke(20, 20, 60, 0.6, 0.4), stroke(180, 20, 24, 0.1, 0.3)]
    assert without_traces(marks, levels) == marks

"""The goals that benchmarks print beside their figures."""

from typing import NamedTuple


class Goal(NamedTuple):
    """A bound of a figure.

    Attributes:
        figure: its name, as the table of the benchmark has it.
        bound: the largest value, or the smallest if ``least``.
    """

    figure: str
    bound: float
    least: bool = False

    def line(self, name, value):
        """Return whether ``value``, the figure of ``name``, reaches the goal, as a line of text."""
        met = value >= self.bound if self.least else value <= self.bound
        digits = 4 if self.least else 2
        wanted = f"{'at least' if self.least else 'at most'} {self.bound:.{digits}f}"
        return f"goal: {name}, {self.figure} {wanted}: {value:.{digits}f}, {'met' if met else 'not met'}"

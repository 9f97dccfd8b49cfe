"""Silence, for the length of a block, what libraries say of each other and no reader can change."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import absl.logging


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Keras from calling ``.h5`` "legacy", TensorFlow from counting, both from deprecating what Keras calls."""
    loggers = [absl.logging.get_absl_logger(), logging.getLogger("tensorflow")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

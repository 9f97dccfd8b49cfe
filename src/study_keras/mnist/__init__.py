"""The digits that the lessons load; ``data``, ``train``, ``report`` and ``vision`` hold what works on them."""

from study_keras.data.dataset import load_data

__all__ = ["load_data"]

"""``load_data``, as the lessons import it. The other packages are ``data``, ``train``, ``report`` and ``vision``."""

from study_keras.data.dataset import load_data

__all__ = ["load_data"]

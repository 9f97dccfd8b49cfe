"""The digits: data, models, training, evaluation and pictures.

Importing this room loads NumPy alone; its modules that need Keras are imported by name, for example
``from study_keras.mnist import models``.
"""

from study_keras.mnist.data import load_data

__all__ = ["load_data"]

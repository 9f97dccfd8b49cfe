"""TensorFlow.js: a folder with ``model.json`` and the weights in ``group1-shardNofM.bin``."""

from study_keras.formats.tfjs.export import export_tfjs, list_tfjs, load_tfjs, why_graph

__all__ = ["export_tfjs", "list_tfjs", "load_tfjs", "why_graph"]

"""Files for inference: LiteRT, ONNX, SavedModel, the frozen graph they are made from, and its TensorFlow subprocess."""

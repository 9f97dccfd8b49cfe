"""Files for inference: the frozen graph, LiteRT, ONNX, SavedModel, and the process with TensorFlow that writes them."""

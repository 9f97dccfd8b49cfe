"""Hello MNIST: from the smallest Keras network to a model in a web page and on a phone."""

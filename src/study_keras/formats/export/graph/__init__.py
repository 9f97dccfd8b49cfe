"""Freezes a Keras model to a TensorFlow graph and rewrites its operations. Importing these modules loads TensorFlow."""

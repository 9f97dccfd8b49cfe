"""A Keras model as a TensorFlow graph without variables, and the exact rewriting of its operations."""

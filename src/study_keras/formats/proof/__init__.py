"""The proof that a file answers as its Keras model does: inputs, the reference, differences, and what is allowed."""

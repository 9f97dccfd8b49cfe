"""What Keras 2 left behind, in the words of Keras 3."""

"""Datasets of 28 x 28 images: loading, class names and statistics. Uses only NumPy."""

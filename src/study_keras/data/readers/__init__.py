"""Readers of dataset files, one per format. They use only NumPy."""

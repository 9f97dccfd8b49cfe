"""Formats that Keras can load again: models, structures and weights. Loading never runs code from a file."""

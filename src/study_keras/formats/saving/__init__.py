"""What Keras can load again: whole models, structures, weights. No file that is read here runs code."""

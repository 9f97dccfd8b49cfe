"""Models written as readable source: a program of the model's own layers, and a file of its weights."""

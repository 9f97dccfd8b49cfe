"""Evaluating a trained network: figures, plots, the HTML report, tables and progress bars in a terminal."""

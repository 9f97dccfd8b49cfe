"""The page in a browser and TensorFlow.js in Node: all JavaScript of this package."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent  # package.json, the modules, node_modules once installed, dist/ once built

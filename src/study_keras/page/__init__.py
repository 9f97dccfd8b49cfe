"""All JavaScript: the page, and the TensorFlow.js runtime in Node."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent  # package.json, the modules, node_modules once installed, dist/ once built

"""From any picture to the digits in it. NumPy and Pillow alone, and the runtime of the network."""

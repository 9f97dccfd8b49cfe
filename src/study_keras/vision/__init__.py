"""From any picture to the digits in it. Needs only NumPy, Pillow and the runtime of the network."""

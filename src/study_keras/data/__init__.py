"""Data sets of digits and their kin: read, described, and kept on the disk. NumPy alone."""

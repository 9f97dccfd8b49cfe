"""What a trained network gets right and wrong: figures, pictures, a report, a terminal's tables."""

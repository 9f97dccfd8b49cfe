"""Which runtimes are here: their versions, and what to type where one is missing. Imports none of them."""

import json
import shutil
from dataclasses import dataclass
from importlib import metadata

from study_keras.page import FOLDER


@dataclass(frozen=True)
class Runtime:
    """A runtime, and the package that it comes in.

    Attributes:
        name: as people call it.
        packages: of Python, any of which has it; or the package of npm, for what runs in Node.
        beside: further packages of Python, all of which it needs here.
        extra: of this project's, which installs it; None for what comes with the project.
        node: whether it runs in Node.
        command: of the system, which does as well.
    """

    name: str
    packages: tuple[str, ...]
    extra: str | None = None
    node: bool = False
    command: str | None = None
    beside: tuple[str, ...] = ()


RUNTIMES = {
    "keras": Runtime("Keras", ("keras",)),
    "saved_model": Runtime("TensorFlow", ("tensorflow-cpu", "tensorflow")),
    "tfjs": Runtime("TensorFlow.js in Node", ("@tensorflow/tfjs-core",), node=True),
    "litert": Runtime("LiteRT", ("ai-edge-litert",)),
    "onnx": Runtime("onnxruntime", ("onnxruntime",)),
    "onnx_web": Runtime("onnxruntime-web in Node", ("onnxruntime-web",), node=True),
    "openvino": Runtime("OpenVINO", ("openvino",), extra="openvino"),
    "tflite_micro": Runtime("TFLite Micro", ("tflite-micro",), extra="micro"),
    "c_code": Runtime("C compiler", ("ziglang",), extra="c", command="cc"),
    "numpy_program": Runtime("NumPy", ("numpy",)),
    "jax_program": Runtime("JAX", ("jax",)),
    "torch_program": Runtime("PyTorch", ("torch",), extra="torch", beside=("safetensors",)),
    "torch_export": Runtime("PyTorch", ("torch",), extra="torch", beside=("safetensors",)),
    "safetensors": Runtime("safetensors", ("safetensors",), extra="safetensors"),
}


def version(runtime: str) -> str | None:
    """Return the version of a runtime, a key of ``RUNTIMES``, or its command; None where it is not installed."""
    found = RUNTIMES[runtime]
    if found.node:
        return _node_version(found.packages[0])
    if found.command and shutil.which(found.command):
        return found.command
    versions = list(filter(None, map(_package_version, found.packages)))
    return versions[0] if versions and all(map(_package_version, found.beside)) else None


def _package_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _node_version(package: str) -> str | None:
    from study_keras.runtimes.tfjs import find_node

    try:
        find_node()
        return str(json.loads((FOLDER / "node_modules" / package / "package.json").read_text())["version"])
    except (FileNotFoundError, NotADirectoryError):
        return None


def install_command(runtime: str) -> str:
    """Return what to type so that a runtime, a key of ``RUNTIMES``, is there."""
    found = RUNTIMES[runtime]
    if found.extra:
        return f"pip install 'hello-mnist[{found.extra}]'"
    if not found.node:
        return f"pip install {found.packages[-1]}"
    from study_keras.runtimes.tfjs import find_node
    from study_keras.runtimes.tfjs import install_command as npm_command

    try:
        find_node()
    except FileNotFoundError:
        return f"pip install 'hello-mnist[node]' && {npm_command()}"
    return npm_command()


def check(runtime: str) -> None:
    """Refuse to go on without a runtime, a key of ``RUNTIMES``.

    Raises:
        FileNotFoundError: it is not installed; the message says what to type.
    """
    if version(runtime) is None:
        raise FileNotFoundError(f"{RUNTIMES[runtime].name} is not installed; run: {install_command(runtime)}")

"""The one table of formats: what each is called, what it keeps of a model, and which functions write and read it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Format:
    """A file format. Functions are named ``module:function``, below ``study_keras``; None where there is none.

    Attributes:
        name: as in ``hello-mnist convert --json``.
        suffixes: of the names that stand for it.
        keeps: of ``structure``, ``weights`` and ``optimizer``; or ``inference``: a function, its weights inside.
        save: writes a model.
        load: returns a model.
        load_weights: puts the weights into a model.
        list_weights: returns name and shape of each array.
        runtime: the module that runs it, below ``study_keras.runtimes``; None for what Keras runs.
        also: other modules that run the same file: in a browser, or compiled.
        package: what ``save`` and ``load_weights`` need besides, a key of ``runtimes.installed.RUNTIMES``.
        title: what people call it.
        read_by: who else reads what ``save`` writes.
        reads: whose files of it are read here.
        needs: what ``save`` runs in, where that is not any backend: ``tensorflow``.
        text: returns the program that ``save`` writes for a model, or a function of its path: the only one that runs
            unasked.
    """

    name: str
    suffixes: tuple[str, ...]
    keeps: tuple[str, ...]
    save: str | None = None
    load: str | None = None
    load_weights: str | None = None
    list_weights: str | None = None
    runtime: str | None = None
    also: tuple[str, ...] = ()
    package: str | None = None
    title: str = ""
    read_by: str = ""
    reads: str = ""
    needs: str | None = None
    text: str | None = None

    @property
    def runtimes(self) -> tuple[str, ...]:
        """What it takes to write and run it on this machine: keys of ``runtimes.installed.RUNTIMES``."""
        return (self.runtime or "keras", *([self.package] if self.package else []))

    def function(self, task: str) -> Any:
        """Import and return the function for ``task``, the name of one of the attributes; None if there is none."""
        place = getattr(self, task)
        if place is None:
            return None
        module, _, name = place.partition(":")
        return getattr(import_module(f"study_keras.{module}"), name)


WHOLE = ("structure", "weights", "optimizer")
FORMATS = (
    Format(
        "weights_h5",
        (".weights.h5",),
        ("weights", "optimizer"),
        save="formats.saving.weights_h5:save_weights_h5",
        load_weights="formats.saving.weights_h5:load_weights_h5",
        list_weights="formats.saving.weights_h5:list_weights_h5",
        title="HDF5 weights",
        read_by="Keras 3, Keras 2",
        reads="Keras 3, Keras 2",
    ),
    Format(
        "keras",
        (".keras",),
        WHOLE,
        save="formats.saving.keras_file:save_keras",
        load="formats.saving.keras_file:load_keras",
        load_weights="formats.saving.keras_file:load_weights_keras",
        title="Keras",
        read_by="Keras 3",
        reads="Keras 3, Keras 2",
    ),
    Format(
        "h5",
        (".h5", ".hdf5"),
        WHOLE,
        save="formats.saving.h5_file:save_h5",
        load="formats.saving.h5_file:load_h5",
        load_weights="formats.saving.weights_h5:load_weights_h5",
        title="HDF5",
        read_by="Keras 3",
        reads="Keras 3, Keras 2",
    ),
    Format(
        "json",
        (".json",),
        ("structure",),
        save="formats.saving.json_file:save_json",
        load="formats.saving.json_file:load_json",
        title="JSON",
        read_by="Keras 3",
        reads="Keras 3, Keras 2",
    ),
    Format(
        "yaml",
        (".yaml", ".yml"),
        ("structure",),
        save="formats.saving.yaml_file:save_yaml",
        load="formats.saving.yaml_file:load_yaml",
        title="YAML",
        read_by="this project",
        reads="this project's, Keras 2.4 and older",
    ),
    Format(
        "tf_checkpoint",
        (".index", ".data-00000-of-00001", ".weights", ".ckpt"),
        ("weights", "optimizer"),
        save="formats.saving.tf_checkpoint:save_tf_checkpoint",
        load_weights="formats.saving.tf_checkpoint:load_tf_checkpoint",
        list_weights="formats.saving.tf_checkpoint:list_tf_checkpoint",
        title="TensorFlow checkpoint",
        read_by="Keras 2, this project",
        reads="Keras 2, `tf.train.Checkpoint` of Keras 3, this project's",
    ),
    Format(
        "safetensors",
        (".safetensors",),
        ("weights",),
        save="formats.saving.safetensors_file:save_safetensors",
        load_weights="formats.saving.safetensors_file:load_weights_safetensors",
        list_weights="formats.saving.safetensors_file:list_safetensors",
        package="safetensors",
        title="safetensors",
        read_by="PyTorch, candle, Keras 3 by this project",
        reads="this project's, others of the same layers",
    ),
    Format(
        "saved_model",
        (".savedmodel",),
        ("inference",),
        save="formats.export.saved_model:save_saved_model",
        load="runtimes.saved_model:load_saved_model",
        list_weights="formats.saving.tf_checkpoint:list_tf_checkpoint",
        runtime="saved_model",
        needs="tensorflow",
        title="SavedModel",
        read_by="TensorFlow",
        reads="Keras 2's as complete models, others for inference",
    ),
    Format(
        "keras2_saved_model",
        (),
        WHOLE,
        load="formats.keras2.saved_model:load_keras2_saved_model",
        load_weights="formats.keras2.saved_model:load_weights_keras2_saved_model",
        runtime="saved_model",
        title="SavedModel of Keras 2",
        reads="Keras 2",
    ),
    Format(
        "tfjs",
        (".tfjs",),
        ("structure", "weights"),
        save="formats.tfjs:export_tfjs",
        load="formats.tfjs:load_tfjs",
        list_weights="formats.tfjs:list_tfjs",
        runtime="tfjs",
        title="TensorFlow.js",
        read_by="TensorFlow.js 4",
        reads="layers models: this project's, Keras 2's converter's",
    ),
    Format(
        "tfjs_graph",
        (),
        ("inference",),
        list_weights="formats.tfjs:list_tfjs",
        runtime="tfjs",
        title="TensorFlow.js graph",
        read_by="TensorFlow.js 4",
    ),
    Format(
        "litert",
        (".tflite",),
        ("inference",),
        save="formats.export.litert_file:export_litert",
        list_weights="formats.export.litert_file:list_litert",
        runtime="litert",
        needs="tensorflow",
        title="LiteRT",
        read_by="Android, iOS, LiteRT",
    ),
    Format(
        "onnx",
        (".onnx",),
        ("inference",),
        save="formats.export.onnx_file:export_onnx",
        list_weights="formats.export.onnx_file:list_onnx",
        runtime="onnx",
        also=("onnx_web",),
        needs="tensorflow",
        title="ONNX",
        read_by="onnxruntime",
    ),
    Format(
        "openvino",
        (".xml",),
        ("inference",),
        save="formats.export.openvino_file:export_openvino",
        list_weights="formats.export.openvino_file:list_openvino",
        runtime="openvino",
        needs="tensorflow",
        title="OpenVINO",
        read_by="OpenVINO",
    ),
    Format(
        "litert_micro",
        (".micro.c",),
        ("inference",),
        save="formats.export.litert_micro:export_litert_micro",
        list_weights="formats.export.litert_micro:list_litert_micro",
        runtime="tflite_micro",
        needs="tensorflow",
        title="TFLite Micro",
        read_by="TensorFlow Lite for Microcontrollers",
    ),
    Format(
        "c",
        (".c",),
        ("inference",),
        save="formats.written.c_file:export_c",
        list_weights="formats.written.c_file:list_c",
        runtime="c_code",
        title="plain C",
        read_by="any C99 compiler",
        text="formats.written.c_file:c_source",
    ),
    Format(
        "numpy_program",
        ("_numpy.py",),
        ("inference",),
        save="formats.written.numpy_program:export_numpy",
        runtime="numpy_program",
        also=("jax_program",),
        title="NumPy program",
        read_by="NumPy, JAX",
        text="formats.written.numpy_program:numpy_text",
    ),
    Format(
        "torch_program",
        ("_torch.py",),
        ("inference",),
        save="formats.written.torch_program:export_torch",
        runtime="torch_program",
        title="PyTorch program",
        read_by="PyTorch",
        text="formats.written.torch_program:torch_text",
    ),
    Format(
        "torch_export",
        (".pt2",),
        ("inference",),
        save="formats.export.torch_export:export_pt2",
        runtime="torch_export",
        title="PyTorch export",
        read_by="PyTorch",
        text="formats.export.torch_export:pt2_content",
    ),
)
QUANTIZED = ("tfjs", "litert", "litert_micro", "c")  # whose `save` takes `quantize`
BY_NAME = {item.name: item for item in FORMATS}

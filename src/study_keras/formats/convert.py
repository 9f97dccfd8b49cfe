"""Convert a model from any format to any other, and list the weights in a file."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from study_keras import formats
from study_keras.formats.proof.prove import Proof
from study_keras.formats.table import QUANTIZED
from study_keras.formats.tfjs import why_graph


def convert(
    source: str | Path,
    target: str | Path,
    weights: str | Path | None = None,
    quantize: str | None = None,
    images: Callable[[Any], Any] | None = None,
    *,
    prove: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Write the model at ``source`` to ``target`` in the format that the target's suffix names.

    Args:
        source: a whole model, or a structure.
        weights: a file to load into the model; needed if ``source`` is a structure and ``target`` stores weights.
        quantize: how a ``.tfjs`` or ``.tflite`` stores the weights; see ``export_tfjs`` and ``export_litert``.
        images: returns some hundred typical inputs for the loaded model, which int8 is calibrated on.
        prove: whether a file with a runtime of its own is only written if it gives Keras' outputs there.
        options: further arguments of the format's own function, such as ``batch``.

    Returns:
        ``source``, ``target``: the paths; ``from``, ``to``: their formats; ``lost``: what ``target`` cannot store;
        ``proof``: the fields of the ``Proof``; ``note``: the variant of the format, and why it was chosen.

    Raises:
        ValueError: a file is broken or lacks what the target needs, or the format has no such ``quantize``.
        OSError: the target cannot be written. What stood there is untouched.
    """
    was, becomes = formats.detect(source), formats.detect_target(target)
    if quantize and becomes.name not in QUANTIZED:
        raise ValueError(f"{target}: only .tfjs, .tflite, .c and .html can be quantized, not {becomes.name}")
    model, held = load_source(source, target, weights, structure_only=becomes.keeps == ("structure",))
    if quantize:
        options["quantize"] = quantize
    if quantize == "int8" and becomes.name != "tfjs" and images:
        options["images"] = images(model)
    proof = _save(model, target, becomes, prove, options)
    becomes = formats.detect(target) if becomes.name == "tfjs" else becomes
    kept = {"structure", "weights"} if becomes.keeps == ("inference",) else set(becomes.keeps)
    return {
        **{"source": str(source), "target": str(target), "from": was.name, "to": becomes.name},
        **{"lost": sorted(held - kept), "proof": proof},
        "note": _note(model, Path(target), becomes.name, options),
    }


def _save(
    model: Any, target: str | Path, becomes: formats.Format, prove: bool, options: dict[str, Any]
) -> dict[str, Any] | None:
    """Write the target, and return the fields of its proof."""
    proofs: list[Proof] = []
    if becomes.runtime:
        options = {**options, "prove": proofs.append if prove else False}
    formats.save(model, target, **options)
    return asdict(proofs[0]) if proofs else None


def _note(model: Any, target: Path, becomes: str, options: dict[str, Any]) -> str | None:
    """Return in one line which variant of the format was written, and why."""
    if becomes == "tfjs":
        return "a layers model for tf.loadLayersModel: TF.js has all of its layers"
    if becomes == "tfjs_graph":
        reason = "asked for" if options.get("kind") == "graph" else (why_graph(model) or "").partition("; ")[0]
        return f"a graph model for tf.loadGraphModel: {reason}"
    if (
        becomes == "litert"
        and formats.litert_batch(target) == 1
        and not options.get("batch")
        and None in [item.shape[0] for item in model.inputs]
    ):
        return "for batches of one: LiteRT has no built-in operations for a dynamic batch size of this model"
    return None


def load_source(
    source: str | Path, target: str | Path, weights: str | Path | None = None, structure_only: bool = False
) -> tuple[Any, set[str]]:
    """Return the model at ``source`` with ``weights`` loaded, and what the files contained, as in ``Format.keeps``.

    Args:
        target: named in the messages.
        structure_only: whether the target needs no weights.

    Raises:
        ValueError: as ``convert``.
    """
    held = set(formats.detect(source).keeps)
    if "structure" not in held:
        found = "weights" if "weights" in held else "a model for inference"
        raise ValueError(f"{source}: contains only {found}; expected a model or a structure")
    if weights is not None:
        held |= set(formats.detect(weights).keeps) - {"structure"}
    if "weights" not in held and not structure_only:
        raise ValueError(f"{source}: contains only a structure; give the weights for {target} with --weights FILE")
    model = formats.load(source)
    if weights is not None:
        formats.load_weights(model, weights)
    if getattr(model, "optimizer", None) is None:
        held.discard("optimizer")
    elif not model.optimizer.built:  # Keras warns whoever loads a model whose optimizer has no variables yet
        model.optimizer.build(model.trainable_variables)
    return model, held


def stored_weights(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of each array in a file of weights or a model for inference.

    Raises:
        ValueError: it is missing, broken, or neither.
    """
    list_weights = formats.detect(path).function("list_weights")
    if not list_weights:
        raise ValueError(
            f"{path}: expected only weights (a TensorFlow checkpoint or .weights.h5) or a model for inference"
        )
    return list_weights(path)

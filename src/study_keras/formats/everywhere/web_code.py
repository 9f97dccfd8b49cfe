"""The first lines of JavaScript: TensorFlow.js, and onnxruntime-web."""

import json

from study_keras.formats.everywhere.interface import Interface, Tensor

ARRAYS = {
    "float32": "Float32Array",
    "float64": "Float64Array",
    "int8": "Int8Array",
    "uint8": "Uint8Array",
    "int16": "Int16Array",
    "uint16": "Uint16Array",
    "int32": "Int32Array",
    "uint32": "Uint32Array",
    "int64": "BigInt64Array",
    "uint64": "BigUint64Array",
    "bool": "Uint8Array",
}


def tfjs_lines(to: Interface) -> list[str]:
    """A layers model or a graph model: what the folder contains."""
    file = f"{to.name}.tfjs/model.json"
    content = json.loads((to.folder / file).read_text(encoding="utf-8"))
    graph = content["format"] == "graph-model"
    load, package = ("loadGraphModel", "converter") if graph else ("loadLayersModel", "layers")
    return [
        "import * as tf from '@tensorflow/tfjs-core';",
        "import '@tensorflow/tfjs-backend-cpu'; // in browsers tfjs-backend-webgl and tfjs-backend-wasm are faster",
        f"import {{ {load} }} from '@tensorflow/tfjs-{package}';",
        "",
        f"const model = await {load}('{file}');",
        *(f"const {item.variable} = tf.zeros({list(item.shape)}, '{_tfjs_dtype(item)}');" for item in to.inputs),
        f"const outputs = [{_graph_call(to, content) if graph else _layers_call(to)}].flat();",
        *_described(to),
        "for (const output of outputs) output.print();",
    ]


def onnx_lines(to: Interface) -> list[str]:
    names = ", ".join(f"'{item.name}': {item.variable}" for item in to.inputs)
    return [
        "import * as ort from 'onnxruntime-web';",
        "",
        f"const session = await ort.InferenceSession.create('{to.name}.onnx');",
        *(
            f"const {item.variable} = new ort.Tensor('{item.dtype}', "
            f"new {ARRAYS[item.dtype]}({item.size}), {list(item.shape)});"
            for item in to.inputs
        ),
        f"const outputs = await session.run({{ {names} }});",
        *_described(to),
        *(f"console.log(outputs['{item.name}'].data);" for item in to.outputs),
    ]


def can_be_onnx(to: Interface) -> bool:
    return all(item.dtype in ARRAYS for item in to.inputs)


def _layers_call(to: Interface) -> str:
    names = ", ".join(item.variable for item in to.inputs)
    return f"model.predict({names if len(to.inputs) == 1 else f'[{names}]'})"


def _graph_call(to: Interface, content: dict[str, dict[str, dict[str, dict[str, str]]]]) -> str:
    """Return the call of a graph by the names in its signature, which are in Keras' order."""
    inputs, outputs = ([item["name"] for item in content["signature"][key].values()] for key in ("inputs", "outputs"))
    given = ", ".join(f"'{name}': {item.variable}" for name, item in zip(inputs, to.inputs, strict=True))
    return f"await model.executeAsync({{ {given} }}, {[*outputs]})"


def _tfjs_dtype(item: Tensor) -> str:
    return "bool" if item.dtype == "bool" else "float32" if "float" in item.dtype else "int32"


def _described(to: Interface) -> list[str]:
    return [f"// {item.name}: {list(item.shape)} {item.dtype}" for item in to.outputs]

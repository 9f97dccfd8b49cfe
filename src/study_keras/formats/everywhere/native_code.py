"""The first lines of Kotlin, Swift, C, C++ and Rust."""

import re
from pathlib import Path

from study_keras.formats.everywhere.interface import Interface, Tensor
from study_keras.runtimes import litert, tflite_micro

KOTLIN = {
    "float32": "FloatArray",
    "int8": "ByteArray",
    "uint8": "ByteArray",
    "int16": "ShortArray",
    "int32": "IntArray",
    "int64": "LongArray",
    "bool": "BooleanArray",
}
SWIFT = {
    "float32": "Float",
    "int8": "Int8",
    "uint8": "UInt8",
    "int16": "Int16",
    "int32": "Int32",
    "int64": "Int64",
    "bool": "Bool",
}
RUST = {
    "float32": "f32",
    "float64": "f64",
    **{f"{kind}int{size}": f"{kind or 'i'}{size}" for kind in ("", "u") for size in (8, 16, 32, 64)},
    "bool": "bool",
}
# Where the name of a method of MicroMutableOpResolver is not the operation's in capitals at each `_`.
_WORDS = {"2d": "2D", "3d": "3D", "lstm": "LSTM", "padv2": "PadV2", "cumsum": "CumSum", "matmul": "MatMul"}
_PROTOTYPE = re.compile(r"^void (\w+)\((.*)\);", re.MULTILINE)
_OPERATIONS = re.compile(r"MicroMutableOpResolver must have:\n \* (.*)")


def kotlin_lines(to: Interface) -> list[str]:
    given = ", ".join(f'"{item.name}" to {item.variable}' for item in to.inputs)
    filled = ", ".join(f'"{item.name}" to {item.variable}' for item in to.outputs)
    return [
        "import java.io.FileInputStream",
        "import java.nio.channels.FileChannel.MapMode",
        "import org.tensorflow.lite.Interpreter",
        "",
        f'val model = context.assets.openFd("{to.name}.tflite").use {{',
        "    FileInputStream(it.fileDescriptor).channel.map(MapMode.READ_ONLY, it.startOffset, it.declaredLength)",
        "}",
        "val interpreter = Interpreter(model)",
        *(f"val {item.variable} = {_kotlin_array(item)}" for item in (*to.inputs, *to.outputs)),
        f'interpreter.runSignature(mapOf<String, Any>({given}), mapOf<String, Any>({filled}), "serving_default")',
        *(f"// {item.variable} now contains {item.described}" for item in to.outputs),
    ]


def _kotlin_array(item: Tensor) -> str:
    *outer, last = item.shape or (1,)
    return "".join(f"Array({size}) {{ " for size in outer) + f"{KOTLIN[item.dtype]}({last})" + " }" * len(outer)


def swift_lines(to: Interface) -> list[str]:
    given = ", ".join(f'"{item.name}": {item.variable}' for item in to.inputs)
    resized = [item for item in to.inputs if None in item.declared[1:]]
    return [
        "import Foundation",
        "import TensorFlowLite",
        "",
        f'let path = Bundle.main.path(forResource: "{to.name}", ofType: "tflite")!',
        "let interpreter = try Interpreter(modelPath: path)",
        'let signature = try interpreter.signatureRunner(with: "serving_default")',
        *(f'try signature.resizeInput(named: "{item.name}", toShape: {list(item.shape)})' for item in resized),
        *(
            f"let {item.variable} = [{SWIFT[item.dtype]}](repeating: {'false' if item.dtype == 'bool' else 0}, "
            f"count: {item.size}).withUnsafeBufferPointer {{ Data(buffer: $0) }}  // {item.shape}"
            for item in to.inputs
        ),
        f"try signature.invoke(with: [{given}])",
        *(
            f'let {item.variable} = try signature.output(named: "{item.name}").data.withUnsafeBytes '
            f"{{ Array($0.bindMemory(to: {SWIFT[item.dtype]}.self)) }}  // {item.shape}"
            for item in to.outputs
        ),
    ]


def can_be_on_phones(to: Interface) -> bool:
    return all(item.dtype in KOTLIN for item in (*to.inputs, *to.outputs))


def rust_lines(to: Interface) -> list[str]:
    given = ", ".join(f'"{item.name}" => {item.variable}' for item in to.inputs)
    return [
        "use ort::{inputs, session::Session, value::Tensor};",
        "",
        "fn main() -> ort::Result<()> {",
        f'    let mut session = Session::builder()?.commit_from_file("{to.name}.onnx")?;',
        *(
            f"    let {item.variable} = Tensor::from_array(([{', '.join(f'{size}usize' for size in item.shape)}], "
            f"vec![{'false' if item.dtype == 'bool' else f'0 as {RUST[item.dtype]}'}; {item.size}]))?;"
            for item in to.inputs
        ),
        f"    let outputs = session.run(inputs![{given}])?;",
        *(
            f'    let (shape, {item.variable}) = outputs["{item.name}"].try_extract_tensor::<{RUST[item.dtype]}>()?;\n'
            f'    println!("{{shape:?}} {{{item.variable}:?}}"); // {item.described}'
            for item in to.outputs
        ),
        "    Ok(())",
        "}",
    ]


def can_be_in_rust(to: Interface) -> bool:
    return all(item.dtype in RUST for item in (*to.inputs, *to.outputs))


def c_lines(to: Interface) -> list[str]:
    """A call of the function that the written header declares, by the names that the header has."""
    header = (to.folder / f"{to.name}.h").read_text(encoding="utf-8")
    function, parameters = _PROTOTYPE.findall(header)[0]
    pairs = [(kind.removeprefix("const "), name) for kind, name in re.findall(r"((?:const )?\w+) \*(\w+)", parameters)]
    sizes = {name: f"{to.name.upper()}_{name.upper()}_SIZE" for _, name in pairs}
    tensors = zip(pairs, (*to.inputs, *to.outputs), strict=True)
    return [
        "#include <stdio.h>",
        f'#include "{to.name}.h"',
        "",
        *(f"static {kind} {name}[{sizes[name]}]; /* {_comment(item)} */" for (kind, name), item in tensors),
        "",
        "int main(void)",
        "{",
        f"    {function}({', '.join(name for _, name in pairs)});",
        *(
            f'    for (int i = 0; i < {sizes[name]}; i++)\n        printf("%g\\n", (double){name}[i]);'
            for _, name in pairs[len(to.inputs) :]
        ),
        "    return 0;",
        "}",
    ]


def _comment(item: Tensor) -> str:
    return f"{item.name}: {item.dtype} {item.shape[1:]}, channels last" if len(item.shape) > 2 else item.described


def micro_lines(to: Interface, file: str) -> list[str]:
    """C++ for the file ``NAME.micro.c``, by the operations and the order of tensors that it has."""
    path = to.folder / file
    operations = re.findall(r"\w+", _OPERATIONS.findall(path.with_suffix(".h").read_text(encoding="utf-8"))[0])
    name = file.removesuffix(".micro.c")
    inputs, outputs = _places(path)
    return [
        '#include "tensorflow/lite/micro/micro_interpreter.h"',
        '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"',
        '#include "tensorflow/lite/schema/schema_generated.h"',
        f'#include "{name}.micro.h"',
        "",
        f"alignas(16) static uint8_t arena[{name.upper()}_ARENA_SIZE];",
        "",
        "int main() {",
        f"  tflite::MicroMutableOpResolver<{len(operations)}> resolver;",
        *(f"  resolver.Add{_method(operation)}();" for operation in operations),
        f"  tflite::MicroInterpreter interpreter(tflite::GetModel({name}_model), resolver, arena, sizeof arena);",
        "  if (interpreter.AllocateTensors() != kTfLiteOk) return 1;",
        *(f"  // Write {item.described} to interpreter.input({inputs[item.name]})->data." for item in to.inputs),
        "  if (interpreter.Invoke() != kTfLiteOk) return 1;",
        *(f"  // Read {item.described} from interpreter.output({outputs[item.name]})->data." for item in to.outputs),
        "  return 0;",
        "}",
    ]


def _method(operation: str) -> str:
    return "".join(_WORDS.get(word, word.capitalize()) for word in operation.lower().split("_"))


def _places(path: Path) -> list[dict[str | None, int]]:
    """Return for each input, and for each output, its place in the file: microcontrollers know no names."""
    interpreter = litert.interpreter_of(path, tflite_micro.read_model(path))
    found = list[dict[str | None, int]]()
    orders = (interpreter.get_input_details(), interpreter.get_output_details())
    for (names, tensors), details in zip(litert.tensors(interpreter), orders, strict=True):
        order = [tensor["index"] for tensor in details]
        found.append({name: order.index(tensor["index"]) for name, tensor in zip(names, tensors, strict=True)})
    return found

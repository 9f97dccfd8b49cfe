"""The README.md of a folder with a model in every format: its files, and the first lines of code for each platform."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import NamedTuple

from study_keras.formats.everywhere import native_code, python_code, web_code
from study_keras.formats.everywhere.interface import Interface, Tensor
from study_keras.formats.everywhere.rows import Row
from study_keras.formats.proof.prove import Proof
from study_keras.formats.table import BY_NAME
from study_keras.formats.written.text import shown

PROVEN = """Each file was run in its own runtime and compared with Keras; the difference
is the largest in an output, relative to the largest number there."""


class Section(NamedTuple):
    """A block of code, which is shown where its file was written.

    Attributes:
        heading: the platform, or what runs it.
        file: the suffix of the file that it reads.
        language: of the block.
        lines: returns them.
        before: what to install, or where the file belongs; ``NAME`` stands for the name of the files.
        fits: tells whether the language has the dtypes of the model.
        runtime: which must have run the file, where that is not the first of its format.
    """

    heading: str
    file: str
    language: str
    lines: Callable[[Interface], list[str]]
    before: str
    fits: Callable[[Interface], bool] = lambda to: True
    runtime: str | None = None


def _micro(suffix: str) -> Section:
    def lines(to: Interface) -> list[str]:
        return native_code.micro_lines(to, f"{to.name}{suffix}")

    before = f"TensorFlow Lite for Microcontrollers, in C++. Compile `NAME{suffix}` with it."
    return Section("Microcontrollers", suffix, "cpp", lines, before)


ANDROID = (
    "LiteRT, in Kotlin. Put `NAME.tflite` into `src/main/assets`, and "
    '`implementation("com.google.ai.edge.litert:litert:1.4.2")` into `build.gradle.kts`.'
)
IOS = 'LiteRT, in Swift. Add `NAME.tflite` to the target, and `pod "TensorFlowLiteSwift"` to the `Podfile`.'
TFJS = (
    "Put the folder `NAME.tfjs` beside the page. `npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-cpu "
    "@tensorflow/tfjs-layers @tensorflow/tfjs-converter`"
)
C = "Compile it with `cc main.c NAME.c -lm`. The header says how much memory the model takes."
PARTS = "The structure and the weights apart."
SECTIONS = (
    Section("Python: Keras", ".keras", "python", python_code.keras_lines, "`pip install keras`, and a backend of it."),
    Section("Python: Keras, from two files", ".weights.h5", "python", python_code.parts_lines, PARTS),
    Section("Python: LiteRT", ".tflite", "python", python_code.litert_lines, "`pip install ai-edge-litert`"),
    Section("Python: onnxruntime", ".onnx", "python", python_code.onnx_lines, "`pip install onnxruntime`"),
    Section("Python: OpenVINO", ".xml", "python", python_code.openvino_lines, "`pip install openvino`"),
    Section("Python: PyTorch", "_torch.py", "python", python_code.torch_lines, "`pip install torch safetensors`"),
    Section("Python: PyTorch, exported", ".pt2", "python", python_code.pt2_lines, "`pip install torch`"),
    Section("Python: NumPy", "_numpy.py", "python", python_code.numpy_lines, "`pip install numpy`; JAX runs it, too."),
    Section("Python: TensorFlow", ".savedmodel", "python", python_code.saved_model_lines, "`pip install tensorflow`"),
    Section("Web: TensorFlow.js", ".tfjs", "js", web_code.tfjs_lines, TFJS),
    Section(
        "Web: onnxruntime-web",
        ".onnx",
        "js",
        web_code.onnx_lines,
        "Put `NAME.onnx` beside the page. `npm install onnxruntime-web`",
        web_code.can_be_onnx,
        "onnxruntime-web",
    ),
    Section("Android", ".tflite", "kotlin", native_code.kotlin_lines, ANDROID, native_code.can_be_on_phones),
    Section("iOS", ".tflite", "swift", native_code.swift_lines, IOS, native_code.can_be_on_phones),
    Section("C", ".c", "c", native_code.c_lines, C),
    _micro("_int8.micro.c"),
    _micro(".micro.c"),
    Section(
        "Rust",
        ".onnx",
        "rust",
        native_code.rust_lines,
        'onnxruntime by the crate `ort`. Put `ort = "=2.0.0-rc.10"` into `Cargo.toml`.',
        native_code.can_be_in_rust,
    ),
)


def text(to: Interface, rows: Sequence[Row]) -> str:
    """Return the content of the README.md."""
    return "\n".join([*_top(to, rows), *_sections(to, rows)]).rstrip() + "\n"


def _top(to: Interface, rows: Sequence[Row]) -> Iterator[str]:
    yield f"# {to.name}"
    yield ""
    yield f"The Keras model `{shown(to.model.name)}` in every format that it can take, written by"
    yield f"hello-mnist {version('hello-mnist')}. {PROVEN if any(row.proofs for row in rows) else 'No file was run.'}"
    yield ""
    yield "| | name | shape | dtype |"
    yield "|---|---|---|---|"
    for role, tensors in (("input", to.inputs), ("output", to.outputs)):
        yield from (f"| {role} | `{item.name}` | {_shape(item)} | {item.dtype} |" for item in tensors)
    yield from ("", "## Files", "", "| format | files | kB | runtime | difference |", "|---|---|---|---|---|")
    for row in filter(lambda row: row.files, rows):
        files = ", ".join(f"`{file}`" for file in row.files)
        first, *others = [_ran(proof) for proof in row.proofs] or ["not run |"]
        yield f"| {_title(row)} | {files} | {row.bytes / 1000:,.0f} | {first} |"
        yield from (f"| | | | {ran} |" for ran in others)
    yield from ("", "The code below reads the float32 files; the smaller ones take the same code.")
    if refused := [row for row in rows if not row.files]:
        yield from ("", "Not written:", "", "| format | reason |", "|---|---|")
        yield from (f"| {_title(row)} | {_cell(_reason(row))} |" for row in refused)
    yield ""


def _ran(proof: Proof) -> str:
    return f"{proof.runtime} | {_cell(f'not run: {proof.missing}') if proof.missing else f'{proof.difference:.1e}'}"


def _title(row: Row) -> str:
    title = BY_NAME[row.format].title
    return f"{title}, {row.quantize}" if row.quantize else title


def _reason(row: Row) -> str:
    return f"{row.reason}; to install it: {row.install}" if row.install else str(row.reason)


def _cell(words: str) -> str:
    """Return text as it may stand in a cell of a table."""
    return "".join(f"\\{sign}" if sign in "\\|`*_<>[]$~" else sign for sign in words)


def _shape(item: Tensor) -> str:
    sizes = ["any" if size is None else str(size) for size in item.declared]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _sections(to: Interface, rows: Sequence[Row]) -> Iterator[str]:
    """Return the sections; of those with one heading only the first."""
    written = {row.file.removeprefix(to.name): row for row in rows if row.files}
    headings = set[str]()
    for section in SECTIONS:
        row = written.get(section.file)
        if row is None or section.heading in headings or not section.fits(to):
            continue
        if section.runtime and not any(proof.runtime == section.runtime and not proof.missing for proof in row.proofs):
            continue
        headings.add(section.heading)
        yield from (f"## {section.heading}", "", section.before.replace("NAME", to.name), "")
        yield from (f"```{section.language}", *section.lines(to), "```", "")

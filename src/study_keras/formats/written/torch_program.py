"""A model as ``NAME_torch.py``, a ``torch.nn.Module`` of its layers, and its weights ``NAME_torch.safetensors``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import keras

from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.formats.saving.safetensors_file import to_safetensors
from study_keras.formats.saving.torch_layout import named_layers
from study_keras.formats.written import torch_lines as lines
from study_keras.formats.written.model_steps import program_of
from study_keras.formats.written.numpy_program import check_target
from study_keras.formats.written.pair import write_pair
from study_keras.formats.written.steps import Program, Shape, Step
from study_keras.formats.written.text import answers, describe, heading, shown, sizes

SUFFIX = "_torch.py"
_RESERVED = {"load", "safetensors", "path", "model"}


def export_torch(model: keras.Model, path: str | Path, *, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` as a Python program with a ``torch.nn.Module`` of its own layers.

    Two files: the program ``NAME_torch.py``, and ``NAME_torch.safetensors`` beside it, as ``save_safetensors`` writes
    it, whose names are those of the module's ``state_dict``. ``load()`` returns the module with its weights, ready for
    inference. It takes and returns what the Keras model does, channels last; inside, the channels are where PyTorch has
    them. It can be trained further. Models in half precision are written as float32.

    Args:
        path: ends in ``_torch.py``.
        prove: whether the program is run in PyTorch, on the processor, and compared with Keras before it gets its name;
            a function is called with the ``Proof``. Without PyTorch it is not run, which is not an error.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, has a layer or option that is not written (the message names it) or an
            open size; the path does not end in ``_torch.py``; or the program's outputs differ from Keras'.
        FileNotFoundError: the package ``safetensors`` is not installed.
        OSError: a file cannot be written. What was there is unchanged.
    """
    check_target(model, Path(path), SUFFIX)
    text, weights = torch_text(model), to_safetensors(model, as_float32=True)
    with write_pair(path, ".safetensors") as (source, stored):
        source.write_text(text, encoding="utf-8")
        stored.write_bytes(weights)
        prove_export(prove, model, source)
    return Path(path)


def torch_text(model: keras.Model) -> str:
    """Return the program alone, which is the same for the same layers.

    Raises:
        ValueError: as ``export_torch``.
    """
    program = program_of(model, _RESERVED)
    forward = _Forward(program, _attributes(model, program))
    body = list(forward.body())
    return "\n".join(
        [
            f'"""The model {shown(program.name)} for PyTorch, written from Keras layer by layer.',
            "",
            "    model = load()",
            f"    answer = model({', '.join(item.name for item in program.inputs)})",
            "",
            "Inputs and outputs are as in Keras: the channels last. Inside they come first.",
            '"""',
            "",
            "from pathlib import Path",
            "",
            "import safetensors.torch",
            "import torch",
            "",
            "",
            "class Model(torch.nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *(f"        self.{name} = {text}" for name, text in forward.modules.items()),
            "",
            *body,
            "",
            "",
            'def load(path=Path(__file__).with_suffix(".safetensors")):',
            '    """Return the model with the weights in the file beside this one, ready for inference."""',
            "    model = Model()",
            "    model.load_state_dict(safetensors.torch.load_file(path))",
            "    return model.eval()",
            "",
        ]
    )


def _attributes(model: keras.Model, program: Program) -> dict[str, str]:
    """Return for each owner of weights the name that ``save_safetensors`` gives it."""
    names = {path: name for path, _, name in named_layers(model)}
    found: dict[str, str] = {}
    for step in program.steps:
        if step.weights:
            found.setdefault(step.owner, "_".join(filter(None, (names[step.layer], step.part))))
    return found


@dataclass
class _Forward:
    """The method ``forward``, and the modules that it calls, while they are written."""

    program: Program
    attributes: dict[str, str]
    modules: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, bool], str] = field(default_factory=dict)  # (value, channels first) -> expression

    def body(self) -> Iterator[str]:
        program = self.program
        yield f"    def forward(self, {', '.join(item.name for item in program.inputs)}):"
        yield f'        """Return {", ".join(answers(program))}.'
        yield ""
        yield "        Args:"
        yield from (f"            {describe(item)}." for item in program.inputs)
        yield '        """'
        for item in program.inputs:
            if "float" in item.dtype:
                yield f"        {item.name} = {item.name}.float()"
            self.made[item.name, False] = item.name
        layer = None
        for step in program.steps:
            if step.layer != layer:
                yield ""
                yield f"        {heading(step)}"
            layer = step.layer
            yield from self._lines(step)
        shapes = {item.name: item.shape for item in program.inputs} | {step.name: step.shape for step in program.steps}
        yield ""
        yield f"        return {', '.join(self._ordered(name, shapes[name], False) for name in program.outputs)}"

    def _lines(self, step: Step) -> Iterator[str]:
        first = lines.channels_first(step, [(name, True) in self.made for name in step.inputs])
        inputs = [self._ordered(*pair, first) for pair in zip(step.inputs, step.input_shapes, strict=True)]
        text = self._module_call(step, inputs[0]) if step.kind in lines.MODULES and step.weights else None
        text = text or lines.expression(step, inputs, first)
        first = first and len(step.shape) > 1
        self.made[step.name, first] = step.name
        yield f"        {step.name} = {text}  # {sizes((step.shape[-1], *step.shape[:-1]) if first else step.shape)}"

    def _module_call(self, step: Step, x: str) -> str:
        name = self.attributes[step.owner]
        paddings = {item.options.get("padding", ()) for item in self.program.steps if item.owner == step.owner}
        padding = next(iter(paddings))
        inside = len(paddings) == 1 and all(before == after for before, after in padding)
        self.modules.setdefault(name, lines.module(step, padding if inside else ((0, 0),) * len(padding)))
        x = f"{x}.long()" if step.kind == "Embedding" else x
        return f"self.{name}({x if inside else lines.padded(x, step.options['padding'])})"

    def _ordered(self, name: str, shape: Shape, first: bool) -> str:
        """Return a value with the channels first or last, as an expression."""
        if len(shape) < 2:
            return name
        if (name, first) in self.made:
            return self.made[name, first]
        rank = len(shape) + 1
        axes = (0, rank - 1, *range(1, rank - 1)) if first else (0, *range(2, rank), 1)
        return f"{name}.permute({', '.join(map(str, axes))})"

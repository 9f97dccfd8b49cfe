"""What became of each variant of a model."""

from dataclasses import dataclass, field

from study_keras.formats.proof.prove import Proof


@dataclass
class Row:
    """What became of one variant.

    Attributes:
        format: its name in the table of formats.
        file: its name in the folder.
        quantize: how it stores its numbers; None for float32.
        files: what was written, ``file`` first; empty if nothing was.
        bytes: of all of them.
        proofs: where it was run, and how far from Keras it answers; one for each runtime.
        reason: why it was not written.
        install: what to type for the package that is missing.
    """

    format: str
    file: str
    quantize: str | None
    files: list[str] = field(default_factory=list)
    bytes: int = 0
    proofs: list[Proof] = field(default_factory=list)
    reason: str | None = None
    install: str | None = None

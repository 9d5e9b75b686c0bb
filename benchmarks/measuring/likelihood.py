"""The model's own negative log-likelihood of what a file codes, to set the length of the file against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ...compressor.coding.model import Model, ModelSource
from ...compressor.format.container import read_head
from ...compressor.format.payload import unpack_front
from ...compressor.format.reader import Reader
from ...compressor.media import TOKENS, medium_for
from ...compressor.pipeline import Frame, list_frames
from .overhear import decoded_symbols

_NOT_TOLD = ("image", TOKENS)
"""Media of which the content of a frame does not say how it was split: into what rows, or into what pieces."""


@dataclass(frozen=True)
class Coded:
    """What a file is made of, or several files together.

    symbols    coded with a model
    nll_bits   the models' own NLL of them; None unless every frame is coded with a model, or where not asked for
    coded_bytes  what the coder wrote for them; the rest is container: heads, plans, checksums, side streams
    models     name -> fingerprint, hexadecimal
    kinds      frames of each kind
    steps      network calls for an item, where the frames have one number of them
    """

    symbols: int = 0
    nll_bits: float | None = None
    coded_bytes: int | None = None
    models: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    steps: int | None = None


@dataclass(frozen=True)
class _Part:
    """One frame: of a kind, coded with a model or None."""

    kind: str
    model: Model | None = None
    symbols: int = 0
    nll_bits: float | None = None
    coded_bytes: int = 0
    steps: int | None = None


def likelihood(files: list[tuple[Path, bytes]], models: ModelSource, nll: bool = True) -> Coded:
    """Coded size and likelihood of these catzip files, given what they were made of, by the plans of their frames.

    nll  whether the models are asked, which takes as long as coding
    """
    parts = [part for path, data in files for part in _parts(path, data, models, nll)]
    kinds = dict(Counter(part.kind for part in parts))
    whole = set(kinds) == {"coded"}
    steps = {part.steps for part in parts if part.model is not None}
    return Coded(
        symbols=sum(part.symbols for part in parts),
        nll_bits=sum(part.nll_bits or 0.0 for part in parts) if whole and nll else None,
        coded_bytes=sum(part.coded_bytes for part in parts) if whole else None,
        models={part.model.name: part.model.fingerprint.hex() for part in parts if part.model is not None},
        kinds=kinds,
        steps=steps.pop() if len(steps) == 1 else None,
    )


def _parts(packed: Path, data: bytes, models: ModelSource, nll: bool) -> list[_Part]:
    """The frames that have content: one that says how a picture is packed again has none."""
    with packed.open("rb") as src:
        found = list_frames(src).frames
        frames = [frame for frame in found if frame.length]
        same = len(frames) == len(found) and sum(frame.length for frame in frames) == len(data)
        return [_part(src, frame, data if same else None, models, nll) for frame in frames]


def _part(src: BinaryIO, frame: Frame, data: bytes | None, models: ModelSource, nll: bool) -> _Part:
    """One frame; `data` is the content of the file, None where a picture was unpacked before it was coded."""
    if frame.medium is None or frame.fingerprint is None:
        return _Part(frame.kind)
    model = models.by_fingerprint(frame.fingerprint)
    steps = (frame.plan[0] or model.budgets[-1]) if model.budgets else None
    if not nll:
        return _Part(frame.kind, model, frame.symbols, None, _coded_bytes(src, frame), steps)
    if data is None or frame.medium in _NOT_TOLD:
        symbols = decoded_symbols(src, frame, models)
    else:
        symbols, _ = medium_for(model).split(data[frame.start : frame.start + frame.length])
    return _Part(
        frame.kind,
        model,
        len(symbols),
        model.nll(symbols, frame.plan),
        _coded_bytes(src, frame),
        steps,
    )


def _coded_bytes(src: BinaryIO, frame: Frame) -> int:
    """Bytes of the segments of a coded frame, with the lengths that stand before all but the last."""
    src.seek(frame.offset)
    reader = Reader(src)
    head = read_head(reader)
    assert head is not None  # `list_frames` has read it
    return head.size - unpack_front(reader.exactly(head.size), head.length).end

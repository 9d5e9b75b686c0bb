"""The model's own negative log-likelihood of what a file codes, to set the length of the file against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..compressor.media import MEDIA
from ..compressor.model import ModelSource
from ..compressor.pipeline import Frame, list_frames


@dataclass(frozen=True)
class Coded:
    """What a file is made of.

    symbols   coded with a model
    nll_bits  the models' own float NLL of them; None unless every frame is coded with a model
    models    name -> fingerprint, hexadecimal
    kinds     frames of each kind
    """

    symbols: int
    nll_bits: float | None
    models: dict[str, str]
    kinds: dict[str, int]


def likelihood(packed: Path, data: bytes, models: ModelSource) -> Coded:
    """Of the catzip file `packed`, whose content is `data`, frame by frame under the plans its frames have.

    That is `model.plan(symbols)`: the command line offers no other.
    """
    with packed.open("rb") as src:
        frames = list_frames(src).frames
    kinds = dict(Counter(frame.kind for frame in frames))
    known = {mark: models.by_fingerprint(mark) for frame in frames if (mark := frame.fingerprint)}
    bits = [_frame_nll(frame, data, models) for frame in frames] if set(kinds) == {"coded"} else []
    return Coded(
        symbols=sum(frame.symbols for frame in frames),
        nll_bits=sum(bits) if bits else None,
        models={model.name: mark.hex() for mark, model in known.items()},
        kinds=kinds,
    )


def _frame_nll(frame: Frame, data: bytes, models: ModelSource) -> float:
    assert frame.medium is not None and frame.fingerprint is not None  # a coded frame has both
    symbols, _ = MEDIA[frame.medium].split(data[frame.start : frame.start + frame.length])
    model = models.by_fingerprint(frame.fingerprint)
    return model.nll(symbols, model.plan(len(symbols)))

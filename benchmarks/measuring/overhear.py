"""The symbols of a coded frame as its model decodes them: what they are is nobody else's to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from ...compressor.coding.model import Model, ModelSource, Plan
from ...compressor.coding.stack import Stack
from ...compressor.coding.symbols import Symbols
from ...compressor.pipeline import Frame, read_range


def decoded_symbols(src: BinaryIO, frame: Frame, models: ModelSource) -> Symbols:
    """The symbols of a coded frame of this file, by decoding it: [n]. Raises the errors of decompression."""
    source = _Source(models)
    read_range(src, frame.start, 1, cast(ModelSource, source))
    (symbols,) = source.heard
    return symbols


class _Source:
    """Models whose symbols are `heard` when they decode."""

    def __init__(self, models: ModelSource) -> None:
        self._models = models
        self.heard: list[Symbols] = []

    def by_fingerprint(self, fingerprint: bytes) -> Model:
        return cast(Model, _Heard(self._models.by_fingerprint(fingerprint), self.heard))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)


class _Heard:
    """A model that keeps what it has decoded."""

    def __init__(self, model: Model, heard: list[Symbols]) -> None:
        self._model = model
        self._heard = heard

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> Symbols:
        symbols = self._model.decode(stacks, count, plan)
        self._heard.append(symbols)
        return symbols

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

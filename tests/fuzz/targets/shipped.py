"""Decompression with the models of the package, which takes long: few inputs, through what programs call."""

from __future__ import annotations

import io

import catzip
from catzip.compressor.errors import CatzipError
from catzip.compressor.pipeline import list_frames

from .. import archive_mutation
from ..draw import Draw
from ..networks import only, shipped
from ..oracle import expect, outcome
from .decoding import GOLDEN, MOST

LARGEST = 1 << 15


class _Shipped:
    """As mutations know a source of models, so that a file may come to name another of them."""

    @property
    def models(self) -> list[object]:
        """The models, all loaded."""
        return [shipped().by_name(name) for name in shipped().names()]

    def by_fingerprint(self, fingerprint: bytes) -> object:
        """As of a registry."""
        return shipped().by_fingerprint(fingerprint)


def check(data: bytes) -> None:
    """Raise where `decompress` does anything but give content of the size that is listed, or refuse."""
    listing = outcome(list_frames, io.BytesIO(data))
    if not isinstance(listing, CatzipError) and listing.content_size > MOST:
        return
    with only(shipped()):
        content = outcome(catzip.decompress, data)
    if isinstance(content, CatzipError):
        return
    assert not isinstance(listing, CatzipError)
    packed = any(frame.kind == "packing" for frame in listing.frames)
    expect(packed or listing.content_size == len(content), "the listed size is not what came out")


def seeds() -> dict[str, bytes]:
    """A golden file of each model."""
    return {path.stem: path.read_bytes() for path in sorted((GOLDEN / "neural" / "shipped").glob("*.catz"))}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another file; checks of coded frames stay wrong, since it would take as long again to find them."""
    return archive_mutation.mutate(data, draw, _Shipped(), coding=False)

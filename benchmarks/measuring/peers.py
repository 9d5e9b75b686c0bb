"""Public compressors at their strongest setting, run on the same bytes; each result is decoded and compared.

gzip, bzip2 and xz come with Python; zstd, brotli and PPMd with `pip install 'catzip[bench]'`.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..data.dataset import Dataset
from ..results import Result

MIB = 1 << 20
PPMD_ORDER = 8
PPMD_MEMORY = 256 * MIB

Coder = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Peer:
    """A compressor: `make` builds its two functions from the module they need."""

    name: str
    settings: str
    module: str
    make: Callable[[Any], tuple[Coder, Coder]]


def _gzip(_: Any) -> tuple[Coder, Coder]:
    return lambda data: gzip.compress(data, 9, mtime=0), gzip.decompress


def _bzip2(_: Any) -> tuple[Coder, Coder]:
    return lambda data: bz2.compress(data, 9), bz2.decompress


def _xz(_: Any) -> tuple[Coder, Coder]:
    return lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME), lzma.decompress


def _zstd(zstandard: Any) -> tuple[Coder, Coder]:
    # The encoder knows the size, as in `zstd FILE`; there, level 22 needs --ultra. For inputs that large
    # its window is 128 MiB, what --long=27 asks for.
    return zstandard.ZstdCompressor(level=22).compress, zstandard.ZstdDecompressor().decompress


def _brotli(brotli: Any) -> tuple[Coder, Coder]:
    return lambda data: brotli.compress(data, quality=11, lgwin=24), brotli.decompress


def _ppmd(pyppmd: Any) -> tuple[Coder, Coder]:
    # Variant I (PPMd8, as in zip): its stream ends itself, and on text it is the smaller of the two.
    options = {"max_order": PPMD_ORDER, "mem_size": PPMD_MEMORY, "variant": "I"}
    return lambda data: pyppmd.compress(data, **options), lambda blob: pyppmd.decompress(blob, **options)


PEERS = (
    Peer("gzip -9", "level 9", "gzip", _gzip),
    Peer("bzip2 -9", "level 9", "bz2", _bzip2),
    Peer("xz -9e", "preset 9 extreme, .xz container", "lzma", _xz),
    Peer("zstd -22", "--ultra -22, window up to 128 MiB", "zstandard", _zstd),
    Peer("brotli -11", "quality 11, lgwin 24", "brotli", _brotli),
    Peer("PPMd", f"variant I, order {PPMD_ORDER}, {PPMD_MEMORY // MIB} MiB", "pyppmd", _ppmd),
)


def run_peer(peer: Peer, dataset: Dataset) -> Result:
    """Compresses the data, decodes it again and compares. Raises RuntimeError if the bytes differ.

    A peer that cannot read what it wrote, as pyppmd 1.3.1 with pictures, has a row that says so and no figures. The
    times are those of the two calls in this process, without any start-up.
    """
    data = dataset.data
    try:
        module = importlib.import_module(peer.module)
    except ImportError:
        missing = "pip install 'catzip[bench]'"
        known = dataset.dimensions
        return Result(dataset.name, peer.name, peer.settings, len(data), dimensions=known, missing=missing)
    compress, decompress = peer.make(module)
    start = time.perf_counter()
    blob = compress(data)
    middle = time.perf_counter()
    try:
        restored = decompress(blob)
    except Exception as error:  # whatever a foreign library raises
        failed = f"fails on what it wrote ({error})"
        known = dataset.dimensions
        return Result(dataset.name, peer.name, peer.settings, len(data), dimensions=known, missing=failed)
    end = time.perf_counter()
    if restored != data:
        raise RuntimeError(f"{peer.name} did not restore the {len(data):,} bytes of {dataset.name}")
    return Result(
        dataset.name,
        peer.name,
        peer.settings,
        len(data),
        compressed_bytes=len(blob),
        compress_s=middle - start,
        decompress_s=end - middle,
        dimensions=dataset.dimensions,
    )

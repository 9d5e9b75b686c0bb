"""Training text: corpora named by recipes, read from ``--data``, and cut into the lanes that the coder will see."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from ...compressor.errors import CatzipError
from ..mixing.contexts import MatchModel, match_rows, ngram_rows, push_symbol
from ..schema import above, entries, ranged
from .mosaics import TILE, read_tiles

Array = npt.NDArray[Any]

_DIGITS = b"zero one two three four five six seven eight nine".split()


_Offset = Annotated[int, ranged(-(1 << 60), 1 << 60)]


@dataclass(frozen=True)
class Corpus:
    """A file of a recipe's data mix, relative to the data folder, or several by a pattern (``*``); ``share`` is its
    weight in the mix.

    ``start`` and ``stop`` are byte offsets into the (decompressed) file, negative from its end as in a slice; images
    are cut into tiles of ``tile`` pixels square.
    """

    path: Annotated[str, entries(4096, least=1)]
    share: Annotated[float, above(0, 10**9)]
    start: _Offset | None = None
    stop: _Offset | None = None
    tile: Annotated[int, ranged(1, 1 << 14)] = TILE


def read_corpora(root: Path, corpora: tuple[Corpus, ...]) -> list[bytes]:
    """The bytes of each corpus: files ending in .xz decompressed, .webp images as tiles (see ``mosaics``).

    Raises CatzipError naming a file that is missing or damaged.
    """
    return [
        b"".join(_read(path, corpus.tile) for path in _files(root, corpus))[corpus.start : corpus.stop]
        for corpus in corpora
    ]


def _files(root: Path, corpus: Corpus) -> list[Path]:
    try:
        found = sorted(path for path in root.glob(corpus.path) if path.is_file())
    except (
        IndexError,
        ValueError,
        NotImplementedError,
    ) as error:  # of pathlib: ".", for one, or an absolute path
        raise CatzipError(
            f"{corpus.path!r} names no training file; give a path or a pattern below --data"
        ) from error
    if not found:
        raise CatzipError(
            f"{root / corpus.path}: no such training file; point --data (or CATZIP_DATA) at a folder that has it"
        )
    return found


def _read(path: Path, tile: int) -> bytes:
    try:
        if path.suffix == ".webp":
            return read_tiles(path, tile)
        if path.suffix != ".xz":
            return path.read_bytes()
        with lzma.open(path) as file:
            return file.read()
    except (EOFError, OSError, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, which names the file; Pillow's have no number
        raise CatzipError(f"{path}: damaged ({error}); copy or download it again") from error


def normalise_text8(data: bytes) -> bytes:
    """Mahoney's text8 normalisation: a-z and single spaces, digits spelled out."""
    data = data.lower()
    for digit, name in enumerate(_DIGITS):
        data = data.replace(str(digit).encode(), b" " + name + b" ")
    return re.sub(rb"[^a-z]+", b" ", data)


def to_symbols(data: bytes, alphabet: int) -> Array:
    """uint8 symbols: the bytes themselves (256), or 0 for space and 1..26 for a..z after normalising (27)."""
    if alphabet == 256:
        return np.frombuffer(data, np.uint8)
    letters = np.frombuffer(normalise_text8(data), np.uint8)
    return np.where(letters == 32, 0, letters - 96).astype(np.uint8)


class _Group:
    """Lanes cut from one stretch of one corpus, with the match memory that they share, as in a frame."""

    def __init__(
        self, text: Array, lanes: int, length: int, ngrams: tuple[tuple[int, int], ...], whole_match: bool
    ) -> None:
        self._lanes = text.reshape(lanes, length)
        self._ngrams, self._whole = ngrams, whole_match
        self._recent = np.zeros(lanes, np.uint64)
        self._match = MatchModel(lanes, length)
        self._step = 0

    @property
    def left(self) -> int:
        return self._lanes.shape[1] - self._step

    def read(self, steps: int) -> tuple[Array, Array]:
        """The next inputs, int64 rows [G + 1, steps, lanes], and the symbols they predict [steps, lanes]."""
        symbols = self._lanes[:, self._step : self._step + steps].T
        self._step += steps
        rows = np.empty((len(self._ngrams) + 1, steps, symbols.shape[1]), np.int64)
        recent = np.empty(symbols.shape, np.uint64)
        for t, column in enumerate(symbols):
            expected, length = self._match.predict()
            rows[-1, t] = match_rows(expected, length, self._whole)
            recent[t] = self._recent
            self._recent = push_symbol(self._recent, column)
            self._match.update(column, self._recent)
        for g, (order, bits) in enumerate(self._ngrams):
            rows[g] = ngram_rows(recent, order, bits)
        return rows, symbols


@dataclass(frozen=True)
class Batch:
    """rows [G + 1, T, L] int64, symbols [T, L] uint8, fresh [L] bool: lanes whose state starts anew."""

    rows: Array
    symbols: Array
    fresh: Array


def text_batches(
    texts: list[Array],
    shares: list[float],
    ngrams: tuple[tuple[int, int], ...],
    *,
    groups: int,
    lanes: int,
    steps: int,
    seed: int,
    lengths: tuple[int, ...] = (1024, 2048, 4096, 8192),
    whole_match: bool = False,
) -> Iterator[Batch]:
    """Endless batches of ``groups * lanes`` lanes that run on from batch to batch, ``steps`` symbols each.

    A group is ``lanes`` lanes of one length cut from consecutive text: what the coder does with a file, so that the
    model is trained on the cold starts and the shared matches that it will meet. `whole_match`: see `match_rows`.
    """
    shortest = min(map(len, texts))
    if shortest < lanes * steps:
        raise CatzipError(
            f"a corpus has {shortest} symbols; {lanes} lanes of {steps} steps need {lanes * steps}"
        )
    rng = np.random.default_rng(seed)
    weights = np.array(shares) / np.sum(shares)
    live: list[_Group | None] = [None] * groups
    while True:
        parts, fresh = [], np.zeros(groups * lanes, bool)
        for g, group in enumerate(live):
            if group is None or group.left < steps:
                text = texts[rng.choice(len(texts), p=weights)]
                length = min(int(rng.choice(lengths)), len(text) // lanes)
                start = rng.integers(0, len(text) - lanes * length + 1)
                group = live[g] = _Group(
                    text[start : start + lanes * length], lanes, length, ngrams, whole_match
                )
                fresh[g * lanes : (g + 1) * lanes] = True
            parts.append(group.read(steps))
        yield Batch(
            np.concatenate([rows for rows, _ in parts], -1), np.concatenate([s for _, s in parts], -1), fresh
        )

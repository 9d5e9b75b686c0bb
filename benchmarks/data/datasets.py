"""Benchmark data by name: finds it under CATZIP_DATA or at a path, checks it, and says what it found.

    text8, enwik8        the full public file, or a slice of it named  NAME.START-STOP[.xz]
    dickens, samba       from the Silesia corpus, in a folder `silesia`
    calgary              all 18 files; calgary-english: book1, book2, paper1-6 and news; calgary/NAME: one
    cifar10, mnist       test images as one array [N, 32, 32, 3] or [N, 28, 28]: see `images.py`, `mnist.py`
    kodak, mcmaster      photographs, each an image file: see `photographs.py`
    anything else        the path of a file; an array of unsigned bytes in a .npy file is one of items; PNG,
                         lossless WebP, PNM, BMP and TIFF are images

Below CATZIP_DATA a corpus NAME may be a file NAME, or FOLDER/NAME, each plain or as .xz.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .cifar10 import cifar10
from .corpora import CORPORA, GROUPS, SLICES, PublicCorpus
from .dataset import DATA_VARIABLE, Dataset, DatasetError
from .mnist import mnist
from .photographs import SETS, of_file, photographs

ARRAYS = {"cifar10": cifar10, "mnist": mnist}


def names() -> list[str]:
    """Every name `load` knows besides paths."""
    plain = [name for name in CORPORA if "/" not in name]
    return [*plain, *ARRAYS, *SETS, *GROUPS, *(name for name in CORPORA if "/" in name)]


def load(name: str, limit: int | None = None) -> Iterator[Dataset]:
    """Yields the data sets behind a name or a path, each cut to `limit` bytes or items, of photographs so many.

    Raises DatasetError.
    """
    if name in GROUPS:
        for member in GROUPS[name]:
            yield from load(member, limit)
    elif name in CORPORA:
        yield _corpus(name, CORPORA[name]).first(limit)
    elif name in ARRAYS:
        yield Dataset.of_items(name, *ARRAYS[name](_root(name))).first(limit)
    elif name in SETS:
        yield from photographs(name, _root(name), limit)
    else:
        yield _file(Path(name)).first(limit)


def _file(path: Path) -> Dataset:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path}: {error.strerror}; give the path of a file or one of: {', '.join(names())}"
        ) from error
    if image := of_file(path, data):
        return image
    return Dataset.of_file(path.name, data, f"{path.name}, the whole file of {len(data):,} bytes")


def _corpus(name: str, corpus: PublicCorpus) -> Dataset:
    """The test part of a named corpus: of the whole public file where there is one, else of a slice."""
    root = _root(name)
    stem = name.rpartition("/")[2]
    for plain in (root / name, root / corpus.folder / stem):
        for path in (plain, plain.with_name(plain.name + ".xz")):
            if path.is_file():
                return _whole(name, corpus, path)
    for path in sorted((root / corpus.folder).glob(f"{stem}.*-*")) if corpus.slice_test else ():
        if match := re.fullmatch(re.escape(stem) + r"\.(\d+)-(\d+)(\.xz)?", path.name):
            return _slice(name, corpus, path, int(match[1]), int(match[2]))
    raise DatasetError(
        f"{name} is not in {DATA_VARIABLE}={root}: put the public file there as {corpus.folder}/{stem} "
        f"({corpus.size:,} bytes, plain or .xz)"
    )


def _root(name: str) -> Path:
    value = os.environ.get(DATA_VARIABLE)
    if not value:
        raise DatasetError(
            f"the data set {name} needs the environment variable {DATA_VARIABLE}: "
            f"set it to the folder that holds the public data sets"
        )
    return Path(value)


def _whole(name: str, corpus: PublicCorpus, path: Path) -> Dataset:
    data = _read(path)
    if len(data) != corpus.size:
        raise DatasetError(
            f"{path} has {len(data):,} bytes, but {name} has {corpus.size:,}: replace it by the public file"
        )
    _check(data, corpus.digest, path)
    start, stop = corpus.test
    found = (
        f"{name}, the full public file ({corpus.digest.partition(':')[0]} verified); test = {corpus.test_is}"
    )
    return Dataset(name, data[start:stop], found)


def _slice(name: str, corpus: PublicCorpus, path: Path, start: int, stop: int) -> Dataset:
    data = _read(path)
    if len(data) != stop - start or stop > corpus.size:
        raise DatasetError(
            f"{path} has {len(data):,} bytes, which is not the range in its name: fetch it again"
        )
    digest = SLICES.get(path.name.removesuffix(".xz"))
    if digest:
        _check(data, digest, path)
    checked = "sha256 verified" if digest else "unverified"
    test = data[: corpus.slice_test]
    return Dataset(
        name,
        test,
        f"{name} slice, bytes {start:,} to {stop:,} of {corpus.size:,} ({checked}); "
        f"test = the first {len(test):,} bytes of the slice",
    )


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return lzma.decompress(data) if path.suffix == ".xz" else data
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise DatasetError(f"{path} cannot be read ({error}): fetch it again") from error


def _check(data: bytes, digest: str, path: Path) -> None:
    algorithm, _, wanted = digest.partition(":")
    if hashlib.new(algorithm, data, usedforsecurity=False).hexdigest() != wanted:
        raise DatasetError(f"{path} is not the public file: its {algorithm} is not {wanted}; fetch it again")

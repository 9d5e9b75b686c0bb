"""catzip: lossless compression whose probabilities come from exact neural models.

    blob = catzip.compress(data)
    data = catzip.decompress(blob)
    with catzip.open("notes.txt.catz", "rt") as file: ...
    compressor = catzip.Compressor()  # keeps its models: for many pieces of data

Importing it loads neither numpy nor torch; the first call that needs them does.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from .compressor.errors import (
    CatzipError,
    CorruptError,
    LimitError,
    MissingDependencyError,
    ModelMismatchError,
    ModelNotFoundError,
    NewerVersionError,
    NotCatzipError,
    PackingError,
    RepackingError,
    TruncatedError,
    UnsuitableContentError,
)
from .objects import Compressor, Decompressor

if TYPE_CHECKING:
    from os import PathLike

    from typing_extensions import Buffer

    from .compressor.file_object import CatzipWriter

__version__ = "0.7.0"

__all__ = [
    "CatzipError",
    "Compressor",
    "CorruptError",
    "Decompressor",
    "LimitError",
    "MissingDependencyError",
    "ModelMismatchError",
    "ModelNotFoundError",
    "NewerVersionError",
    "NotCatzipError",
    "PackingError",
    "RepackingError",
    "TruncatedError",
    "UnsuitableContentError",
    "__version__",
    "compress",
    "decompress",
    "open",
]


def compress(
    data: Buffer,
    model: str | None = None,
    *,
    steps: int | None = None,
    effort: str = "default",
    byte_exact: bool = True,
    device: str = "auto",
    threads: int | None = None,
) -> bytes:
    """The catzip file that holds `data`.

    `model` names the model to use (None: chosen from the content), `steps` its budget of network calls for each
    item (None: the model's own; 0: all), where it has a choice. `device` is auto, cpu or cuda. Device
    and threads change the speed, never the bytes. Raises ModelNotFoundError, ModelMismatchError,
    UnsuitableContentError.

    `effort`, where no model is named, is "fast" for a faster model of bytes, or "best" to try a model on everything,
    also where a quick look says that it is not worth the time. Raises ValueError for another, or beside a model.

    Bytes in, bytes out. Without `byte_exact` a PNG or lossless WebP file, which is then often smaller here, comes back
    with the same pixels and chunks, but its compressed pixels may be other bytes (the command's --pixels). Raises
    RepackingError for one that would not be whole then, such as a signed one.

    >>> blob = compress(b"so it goes, " * 1000)
    >>> len(blob) < 200
    True
    """
    compressor = Compressor(
        model, steps=steps, effort=effort, byte_exact=byte_exact, device=device, threads=threads
    )
    return compressor.compress(data)


def decompress(
    blob: Buffer,
    *,
    max_size: int | None = None,
    memlimit: int | None = None,
    repack: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> bytes:
    """What the catzip file `blob` holds.

    `max_size` is the most bytes that it may be. Without it there may be any number, but a file must not take much
    longer to decode than its own bytes account for; with it, be it `sys.maxsize`, it may take its time. `memlimit` is
    the most bytes of memory that a frame of the file may take (0: any number; None: three quarters of the machine's);
    the result is not counted. LimitError is raised before any of these is exceeded.

    Raises NotCatzipError, CorruptError, TruncatedError, NewerVersionError, ModelNotFoundError, or PackingError for a
    PNG that was to come back byte for byte and does not with the zlib here: with `repack` it comes with its pixels and
    chunks. A WebP takes Pillow (MissingDependencyError).

    >>> blob = compress(b"so it goes, " * 1000)
    >>> decompress(blob) == b"so it goes, " * 1000
    True
    >>> try:
    ...     decompress(blob, max_size=10_000)
    ... except LimitError:
    ...     print("it is larger")
    it is larger
    """
    decompressor = Decompressor(
        max_size=max_size, memlimit=memlimit, repack=repack, device=device, threads=threads
    )
    return decompressor.decompress(blob)


def open(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    mode: str = "rb",
    model: str | None = None,
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    steps: int | None = None,
    effort: str = "default",
    byte_exact: bool = True,
    repack: bool = False,
    max_size: int | None = None,
    memlimit: int | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> io.BufferedReader | CatzipWriter | io.TextIOWrapper:
    """A catzip file as a file object, like `gzip.open`: mode "r", "w" or "x", with "t" for text.

    `steps`, `effort` and `byte_exact` as for `compress`; `repack`, `max_size` and `memlimit` as for `decompress`.
    Reading can seek. A file that is written appears under its name when it is closed, whole; an exception in the `with`
    block discards it. After a fork, a child can read on (but for a pipe), and not write.

    >>> with open("notes.txt.catz", "wt") as file:
    ...     _ = file.write("as with gzip.open, and found again")
    >>> with open("notes.txt.catz", "rt") as file:
    ...     _ = file.seek(19)
    ...     file.read()
    'and found again'
    """
    from .compressor.file_object import TextFile, open_file
    from .compressor.format.limits import Limits
    from .compressor.pipeline import import_pictures
    from .models.families.table import import_families
    from .models.registry import Registry

    text = "t" in mode
    if not text and (encoding, errors, newline) != (None, None, None):
        raise ValueError("encoding, errors and newline go with text modes: rt, wt, xt")
    binary_mode = mode.replace("t", "b") if text else mode
    if effort != "default" and (model is not None or mode.startswith("r")):
        raise ValueError("effort is for the choice of a model when writing, where none was named")
    models = Registry(device=device, threads=threads, effort=effort)
    import_families()
    import_pictures()
    limits = None if max_size is None and memlimit is None else Limits.asked(max_size, memlimit)
    file = open_file(path, binary_mode, model, models, steps, byte_exact, repack, limits)
    return TextFile(file, encoding, errors, newline) if text else file

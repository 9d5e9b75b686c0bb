"""Objects that compress and decompress one piece of data after another, and load each model once."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Compressor:
    """Makes catzip files of one piece of data after another.

    A model is loaded when it is first needed, or at once if it is named, and kept as long as the object lives: that
    saves most of the time of small pieces. The bytes are those that `catzip.compress` makes; each result is a file of
    its own.

    model         name of the model to use; None to choose by the content
    steps         its budget of network calls for each item (None: the model's own; 0: all), where it has a choice
    effort        where no model is named, "fast" for a faster model of bytes, "best" to try a model on everything
    byte_exact    without it, a PNG or lossless WebP may come back with the same pixels and chunks but other bytes
    device        where networks run: auto, cpu or cuda
    threads       that share the work of a piece (None: one for each core)

    Threads of a program may share an object: each call is for itself, so that several run at a time.

    Raises ModelNotFoundError, ModelMismatchError for steps that the model does not have, and ValueError for steps
    without a model, an effort beside one, or an effort or number of threads that cannot be.

    >>> compressor = Compressor(threads=1)
    >>> lines = [b"the first of many short lines", b"the second of many short lines"]
    >>> blobs = [compressor.compress(line) for line in lines]
    >>> decompressor = Decompressor(max_size=1000)
    >>> [decompressor.decompress(blob) for blob in blobs] == lines
    True
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        steps: int | None = None,
        effort: str = "default",
        byte_exact: bool = True,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        from .models.registry import Registry

        if model is not None and effort != "default":
            raise ValueError("effort is for the choice of a model, and a model was named")
        if model is None and steps is not None:
            raise ValueError("a number of steps goes with the name of a model")
        self._models = Registry(device=device, threads=threads, effort=effort)
        if model is not None:
            self._models.by_name(model).plan(1, steps)
        self._model, self._steps, self._byte_exact = model, steps, byte_exact

    def compress(self, data: Buffer) -> bytes:
        """The catzip file that holds `data`, which are bytes or any other buffer.

        Raises UnsuitableContentError where the model that was named does not code such content, and RepackingError
        for a picture that would not be whole without `byte_exact`.

        >>> len(Compressor().compress(b"so it goes, " * 1000)) < 200
        True
        """
        from .compressor.pipeline import compress_stream

        source, result = io.BytesIO(data), io.BytesIO()
        compress_stream(
            source,
            result,
            models=self._models,
            model=self._model,
            steps=self._steps,
            size_hint=source.getbuffer().nbytes,
            byte_exact=self._byte_exact,
        )
        return result.getvalue()


class Decompressor:
    """Reads one catzip file after another, with whatever models they name, each of which is loaded once and kept.

    max_size  the most bytes that a file may hold. Without it there may be any number, but a file must not take much
              longer to decode than its own bytes account for; with it, be it `sys.maxsize`, it may take its time
    memlimit  the most bytes of memory that a frame of a file may take (0: any number; None: three quarters of the
              machine's); the result is not counted
    repack    whether a PNG that was to come back byte for byte is packed anew, as its pixels and chunks
    device    where networks run: auto, cpu or cuda
    threads   that share the work of a file (None: one for each core)

    Threads of a program may share an object: each call is for itself, so that several run at a time. Raises ValueError
    for a negative limit, or a number of threads that cannot be.
    """

    def __init__(
        self,
        *,
        max_size: int | None = None,
        memlimit: int | None = None,
        repack: bool = False,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        from .compressor.format.limits import Limits
        from .models.registry import Registry

        self._limits, self._repack = Limits.asked(max_size, memlimit), repack
        self._models = Registry(device=device, threads=threads)

    def decompress(self, blob: Buffer) -> bytes:
        """What the catzip file `blob` holds. LimitError is raised before more is taken than the object's limits allow.

        Raises NotCatzipError, CorruptError, TruncatedError, NewerVersionError, ModelNotFoundError, or PackingError for
        a PNG that was to come back byte for byte and does not with the zlib here: `repack` is for that. A WebP takes
        Pillow (MissingDependencyError).

        >>> decompressor = Decompressor(max_size=10)
        >>> decompressor.decompress(Compressor().compress(b"0123456789"))
        b'0123456789'
        >>> from catzip import LimitError
        >>> try:
        ...     decompressor.decompress(Compressor().compress(b"0123456789-"))
        ... except LimitError:
        ...     print("it is larger")
        it is larger
        """
        from .compressor.pipeline import decompress_stream

        result = io.BytesIO()
        decompress_stream(
            io.BytesIO(blob), result, models=self._models, repack=self._repack, limits=self._limits
        )
        return result.getvalue()

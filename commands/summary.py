"""What is said of a file that was compressed or decompressed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..compressor.errors import ModelNotFoundError
from .messages import percent, size

if TYPE_CHECKING:
    from ..compressor.coding.model import ModelSource
    from ..compressor.format.report import Report


def compressed_line(name: str, target: str, report: Report) -> str:
    """`a.txt: 2120 => 140 bytes (6.6 %), a.txt.catz`, and what is to be said in any case."""
    share = percent(report.file_size, report.outer_size)
    line = f"{name}: {report.outer_size} => {report.file_size} bytes ({share}), {target}"
    return f"{line}; {report.remark}" if report.remark else line


def decompressed_line(name: str, target: str, report: Report) -> str:
    """`a.txt.catz: 140 => 2120 bytes, a.txt`."""
    return f"{name}: {report.file_size} => {report.outer_size} bytes, {target}"


def model_name(fingerprint: bytes, models: ModelSource) -> str | None:
    """The name under which a model is installed, None if it is not."""
    try:
        return models.by_fingerprint(fingerprint).name
    except ModelNotFoundError:
        return None


def details(report: Report, models: ModelSource, seconds: float, verbose: int) -> Iterator[str]:
    """What -v adds: how pictures fared, frames by kind, speed, bits per symbol of what was coded, what
    is beside that and behind the end; -vv, which core models may run on."""
    if not report.remark:  # which says the same, and was said
        yield from report.notes
    kinds = Counter(frame.kind for frame in report.frames)
    frames = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    yield f"frames: {frames or 'none'}; {seconds:.2f} s, {size(report.content_size / seconds)}/s"
    coded = [frame for frame in report.frames if frame.symbols]
    if coded:
        names = ", ".join(model_name(key, models) or key.hex() for key in report.fingerprints)
        symbols, total = sum(frame.symbols for frame in coded), sum(frame.size for frame in coded)
        yield f"{names}: {8 * total / symbols:.3f} bits per symbol over {symbols} symbols"
    if report.side_size:
        cost = percent(report.side_size, report.file_size)
        yield f"beside the model's symbols: {report.side_size} bytes, {cost}"
    if report.padding:
        yield f"zero bytes behind the end of the file, passed over: {report.padding}"
    if verbose > 1:
        from ..models.backends.native.library import described

        yield f"core: {described()}"

"""What the commands do to one file, and doing it to several."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import click

from ..compressor.errors import CatzipError, ModelMismatchError, ModelNotFoundError
from ..compressor.escaping import printable
from ..compressor.files.atomic import ResultSink
from .files import STDIO, open_source, open_target, shown
from .messages import Refusal, complain, say, what_went_wrong
from .names import Outputs, compressed_name, original_name, output_of
from .options import Settings
from .progress import Progress
from .removal import check_removable, removing
from .summary import compressed_line, decompressed_line, details

if TYPE_CHECKING:
    from ..compressor.coding.model import Model, ModelSource
    from ..compressor.format.report import Report


def each(names: Iterable[str], action: Callable[[str], None]) -> int:
    """Do `action` to every file and give the exit code. One that fails is reported; the others go on."""
    code = 0
    for name in names:
        try:
            action(name)
        except (BrokenPipeError, click.UsageError):
            raise
        except (CatzipError, OSError, MemoryError, click.ClickException) as error:
            complain(what_went_wrong(error, shown(name)))
            code = 1
    return code


def named_model(models: ModelSource, name: str, steps: int | None) -> Model:
    """The model of -m. Raises a usage error where there is none, and for steps that it cannot be asked for."""
    try:
        model = models.by_name(name)
        model.plan(1, steps)
    except (ModelMismatchError, ModelNotFoundError) as error:
        raise click.UsageError(str(error)) from error
    return model


class Work(NamedTuple):
    """The command's choices, and the models that it works with."""

    outputs: Outputs
    settings: Settings
    models: ModelSource

    def compress(self, name: str, model: str | None, steps: int | None, byte_exact: bool) -> None:
        """Compress one file; with --rm, remove it once its result was decoded and compared with it."""
        from ..compressor.pipeline import compress_stream

        start, target = time.monotonic(), self.outputs.target(name, compressed_name)
        if target == STDIO and os.isatty(1) and not self.outputs.force:
            raise Refusal("binary data is not written to a terminal. Redirect it, or use -f to force it")
        with ExitStack() as files:
            source, sink = self._open(name, target, files)
            with self._progress(name, target) as progress:
                report = compress_stream(
                    source,
                    sink,
                    models=self.models,
                    model=model,
                    steps=steps,
                    progress=progress,
                    byte_exact=byte_exact,
                )
            if self.outputs.remove:
                self._verify(name, source, sink, report)
        self._finish(name, compressed_line(shown(name), printable(target), report), target, report, start)

    def decompress(self, name: str, repack: bool) -> None:
        """Decompress one file; it gets its name, and --rm removes the source, only if its checksums hold."""
        from ..compressor.pipeline import decompress_stream

        start, target = time.monotonic(), self.outputs.target(name, original_name)
        with ExitStack() as files:
            source, sink = self._open(name, target, files)
            with self._progress(name, target) as progress:
                report = decompress_stream(
                    source,
                    sink,
                    models=self.models,
                    progress=progress,
                    repack=repack,
                    limits=self.settings.limits(),
                )
        self._finish(name, decompressed_line(shown(name), printable(target), report), target, report, start)

    def test(self, name: str, repack: bool) -> None:
        """Decode and check one file."""
        from ..compressor.pipeline import verify_stream

        start = time.monotonic()
        with open_source(name) as source, Progress(shown(name), self.settings.quiet) as progress:
            report = verify_stream(
                source,
                models=self.models,
                progress=progress,
                repack=repack,
                limits=self.settings.limits(),
            )
        self._finish(name, f"{shown(name)}: {report.outer_size} bytes, ok", "", report, start)

    def print_range(self, name: str, start: int, length: int) -> None:
        """Write `length` bytes from `start` of the content of one file to standard output."""
        from ..compressor.pipeline import read_range

        with open_source(name) as source:
            if not source.seekable():
                skipped = f"tail -c +{start + 1} | head -c {length}"
                raise Refusal(f"--range needs a file, and this is a pipe. Use catzip cat | {skipped}")
            origin, limits = source.tell(), self.settings.limits()
            data = read_range(source, start, length, self.models, origin, limits)
            with open_target(STDIO, source=source, force=self.outputs.force) as sink:
                sink.write(data)

    def _open(self, name: str, target: str, files: ExitStack) -> tuple[BinaryIO, ResultSink]:
        """The source and the sink, open. Raises Refusal, before the work, where --rm could not be done."""
        outputs = self.outputs
        if outputs.remove and name != STDIO:
            check_removable(name, outputs.force)
        source = files.enter_context(open_source(name, outputs.force or target == STDIO))
        if outputs.remove:
            files.enter_context(removing(name, source, outputs.force))
        sink = files.enter_context(open_target(target, source=source, force=outputs.force))
        if outputs.remove and not sink.file.readable():
            raise Refusal("--rm needs a result that can be read back, which a device is not. Leave out --rm")
        return source, sink

    def _progress(self, name: str, target: str) -> Progress:
        """A progress line, but not amid a result that goes to the same terminal."""
        return Progress(shown(name), self.settings.quiet or (target == STDIO and os.isatty(1)))

    def _verify(self, name: str, source: BinaryIO, sink: ResultSink, report: Report) -> None:
        """Decode what was written, before it gets its name, and compare with the source. Raises Refusal."""
        from ..compressor.format.limits import Limits
        from ..compressor.pipeline import decompress_stream

        sink.file.seek(0)
        source.seek(0)
        same: Comparison | PictureComparison
        same = PictureComparison(source) if report.is_packed_anew else Comparison(source)
        with Progress(f"{shown(name)}: verifying", self.settings.quiet) as progress:
            decompress_stream(sink.file, same, models=self.models, progress=progress, limits=Limits.none())
        same.finish()

    def _finish(self, name: str, line: str, target: str, report: Report, start: float) -> None:
        """Say what was done."""
        if not self.settings.quiet and (target != STDIO or self.settings.verbose):
            say(line, err=True)
        if self.settings.verbose:
            for detail in details(report, self.models, time.monotonic() - start, self.settings.verbose):
                say(f"  {printable(detail)}", err=True)


def work_of(
    output: str | None = None,
    to_stdout: bool = False,
    force: bool = False,
    remove: bool = False,
    keep: bool = False,
    **settings: Any,
) -> Work:
    """The options of a command, gathered."""
    if remove and keep:
        raise click.UsageError("--rm and -k exclude each other")
    chosen = Settings(**settings)
    return Work(Outputs(output_of(output), to_stdout, force, remove), chosen, chosen.registry())


class Comparison:
    """A sink that checks that what is written to it is what `source` holds."""

    def __init__(self, source: BinaryIO) -> None:
        from ..compressor.format.reader import Reader

        self._source = Reader(source)

    def write(self, data: bytes) -> int:
        """Compare the next bytes."""
        self._check(self._source.up_to(len(data)) == data)
        return len(data)

    def finish(self) -> None:
        """Raise Refusal if anything of the source is left."""
        self._check(not self._source.up_to(1))

    def _check(self, same: bool) -> None:
        if not same:
            raise Refusal(_DIFFERENT)


class PictureComparison:
    """A sink that checks that what is written to it is the picture in `source`, with the same pixels and chunks."""

    def __init__(self, source: BinaryIO) -> None:
        from ..compressor.recompression.span import spool

        self._source = source
        self._kept = spool()

    def write(self, data: bytes) -> int:
        """Keep the next bytes."""
        return self._kept.write(data)

    def finish(self) -> None:
        """Unpack and compare."""
        from ..compressor.pictures import are_same_picture
        from ..compressor.recompression.span import Span

        if not are_same_picture(Span.whole(self._kept), Span.whole(self._source)):
            raise Refusal(_DIFFERENT)


_DIFFERENT = "the result does not decode to this file, which stays. Was it changed meanwhile?"

"""`catzip compress`, `decompress`, `test` and `cat`."""

from __future__ import annotations

from typing import Any

import click

from .names import Outputs, sources_of
from .options import Settings, convert_options, force_option, run_options, steps_option
from .work import Work, check_steps, each

files_argument = click.argument("files", nargs=-1, metavar="[FILE]...")


@click.command()
@files_argument
@click.option(
    "-m", "--model", metavar="MODEL", help="Model to use (see `catzip models`); default: by the content."
)
@steps_option
@convert_options
@run_options
def compress(files: tuple[str, ...], model: str | None, steps: int | None, **options: Any) -> int:
    """Compress each FILE to FILE.catz.

    The source stays. With no FILE, or for -, standard input is compressed to standard output.
    """
    sources, work = sources_of(files), _work(**options)
    work.outputs.check(sources)
    if model is not None:
        check_steps(work.models.by_name(model), steps)  # a wrong name ends it before any file is touched
    elif steps is not None:
        raise click.UsageError("--steps goes with -m MODEL")
    return each(sources, lambda name: work.compress(name, model, steps))


@click.command()
@files_argument
@convert_options
@run_options
def decompress(files: tuple[str, ...], **options: Any) -> int:
    """Decompress each FILE.catz to FILE.

    The source stays. With no FILE, or for -, standard input is decompressed to standard output.
    """
    sources, work = sources_of(files), _work(**options)
    work.outputs.check(sources)
    return each(sources, work.decompress)


@click.command()
@files_argument
@run_options
def test(files: tuple[str, ...], **options: Any) -> int:
    """Decode each FILE and check it, writing nothing."""
    return each(sources_of(files), _work(**options).test)


@click.command()
@files_argument
@click.option(
    "--range",
    "extent",
    nargs=2,
    type=click.IntRange(min=0),
    metavar="START LENGTH",
    help="Only these bytes of the content; decodes no more frames than it must.",
)
@force_option
@run_options
def cat(files: tuple[str, ...], extent: tuple[int, int] | None, **options: Any) -> int:
    """Decompress each FILE to standard output."""
    work = _work(to_stdout=True, **options)
    if extent is None:
        return each(sources_of(files), work.decompress)
    return each(sources_of(files), lambda name: work.print_range(name, *extent))


def _work(
    output: str | None = None,
    to_stdout: bool = False,
    force: bool = False,
    remove: bool = False,
    **settings: Any,
) -> Work:
    """The options of a command, gathered."""
    chosen = Settings(**settings)
    return Work(Outputs(output, to_stdout, force, remove), chosen, chosen.registry())

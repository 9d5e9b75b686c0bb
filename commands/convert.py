"""`catzip compress`, `decompress`, `test` and `cat`."""

from __future__ import annotations

from typing import Any

import click

from .names import Outputs, output_of, sources_of
from .options import (
    Settings,
    convert_options,
    effort_options,
    force_option,
    limit_options,
    repack_option,
    run_options,
    steps_option,
)
from .work import Work, each, named_model

files_argument = click.argument("files", nargs=-1, metavar="[FILE]...")


@click.command()
@files_argument
@click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help="Model (see `catzip models`) or weight file to use; default: by the content.",
)
@effort_options
@steps_option
@click.option(
    "--pixels",
    is_flag=True,
    help="Have a PNG or lossless WebP come back with the same pixels and chunks, but packed anew, which can make the "
    "result smaller. Refused where that would break something.",
)
@click.option("--byte-exact", is_flag=True, help="Have every file come back byte for byte: the default.")
@convert_options
@run_options
def compress(
    files: tuple[str, ...],
    model: str | None,
    fast: bool,
    best: bool,
    steps: int | None,
    pixels: bool,
    byte_exact: bool,
    **options: Any,
) -> int:
    """Compress each FILE to FILE.catz.

    The source stays. With no FILE, or for -, standard input is compressed to standard output.

    Every file comes back byte for byte. With --pixels, the compressed pixels of a PNG or lossless WebP may come back
    as other bytes; all else stays the same.
    """
    effort = "fast" if fast else "best" if best else None
    if fast and best:
        raise click.UsageError("--fast and --best exclude each other")
    if pixels and byte_exact:
        raise click.UsageError("--pixels and --byte-exact exclude each other")
    if model is not None and effort is not None:
        raise click.UsageError(f"--{effort} lets catzip choose the model. Leave out -m {model} or --{effort}")
    sources, work = sources_of(files), _work(effort=effort or "default", **options)
    work.outputs.check(sources)
    if model is not None:
        named_model(work.models, model, steps)  # a wrong name ends it before any file is touched
    elif steps is not None:
        raise click.UsageError("--steps goes with -m MODEL")
    return each(sources, lambda name: work.compress(name, model, steps, not pixels))


@click.command()
@files_argument
@repack_option
@limit_options
@convert_options
@run_options
def decompress(files: tuple[str, ...], repack: bool, **options: Any) -> int:
    """Decompress each FILE.catz to FILE.

    The source stays. With no FILE, or for -, standard input is decompressed to standard output.
    """
    sources, work = sources_of(files), _work(**options)
    work.outputs.check(sources)
    return each(sources, lambda name: work.decompress(name, repack))


@click.command()
@files_argument
@repack_option
@limit_options
@run_options
def test(files: tuple[str, ...], repack: bool, **options: Any) -> int:
    """Decode each FILE and check it, writing nothing."""
    work = _work(**options)
    return each(sources_of(files), lambda name: work.test(name, repack))


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
@repack_option
@limit_options
@force_option
@run_options
def cat(files: tuple[str, ...], extent: tuple[int, int] | None, repack: bool, **options: Any) -> int:
    """Decompress each FILE to standard output.

    To --range, the content of a PNG or WebP that was unpacked is its pixels and chunks.
    """
    work = _work(to_stdout=True, **options)
    if extent is None:
        return each(sources_of(files), lambda name: work.decompress(name, repack))
    return each(sources_of(files), lambda name: work.print_range(name, *extent))


def _work(
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

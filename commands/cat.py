"""`catzip cat`."""

from __future__ import annotations

from typing import Any

import click

from .names import sources_of
from .options import (
    files_argument,
    force_option,
    limit_options,
    repack_option,
    run_options,
)
from .work import each, work_of


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
    work = work_of(to_stdout=True, **options)
    if extent is None:
        return each(sources_of(files), lambda name: work.decompress(name, repack))
    return each(sources_of(files), lambda name: work.print_range(name, *extent))

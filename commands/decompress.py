"""`catzip decompress`."""

from __future__ import annotations

from typing import Any

import click

from .names import sources_of
from .options import (
    convert_options,
    files_argument,
    limit_options,
    repack_option,
    run_options,
)
from .work import each, work_of


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
    sources, work = sources_of(files), work_of(**options)
    work.outputs.check(sources)
    return each(sources, lambda name: work.decompress(name, repack))

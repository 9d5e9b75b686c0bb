"""`catzip test`."""

from __future__ import annotations

from typing import Any

import click

from .names import sources_of
from .options import (
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
@run_options
def test(files: tuple[str, ...], repack: bool, **options: Any) -> int:
    """Decode each FILE and check it, writing nothing."""
    work = work_of(**options)
    return each(sources_of(files), lambda name: work.test(name, repack))

"""`catzip compress`."""

from __future__ import annotations

from typing import Any

import click

from .names import sources_of
from .options import (
    convert_options,
    effort_options,
    files_argument,
    run_options,
    steps_option,
)
from .work import each, named_model, work_of


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
    sources, work = sources_of(files), work_of(effort=effort or "default", **options)
    work.outputs.check(sources)
    if model is not None:
        named_model(work.models, model, steps)  # a wrong name ends it before any file is touched
    elif steps is not None:
        raise click.UsageError("--steps goes with -m MODEL")
    return each(sources, lambda name: work.compress(name, model, steps, not pixels))

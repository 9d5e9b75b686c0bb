"""`catzip bench`."""

from __future__ import annotations

from pathlib import Path

import click

from .options import quiet_option, run_device_options
from .progress import Progress


@click.command()
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="text8, enwik8, calgary, dickens, samba or a file; may be repeated. Looked for in $CATZIP_DATA.",
)
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="Model; may be repeated.")
@click.option("--peers", is_flag=True, help="Also gzip, bzip2, xz, and zstd, brotli, PPMd where installed.")
@click.option("--limit", type=click.IntRange(min=1), metavar="BYTES", help="Only the first BYTES of each.")
@click.option("--json", "json_out", type=click.Path(path_type=Path), metavar="OUT", help="Also write JSON.")
@run_device_options
@quiet_option
def bench(
    datasets: tuple[str, ...],
    models: tuple[str, ...],
    peers: bool,
    limit: int | None,
    json_out: Path | None,
    threads: int | None,
    device: str,
    quiet: bool,
) -> None:
    """Measure size, speed and memory.

    On known data sets or files, beside other compressors. Every figure is of a file that was decoded
    and compared.
    """
    from ..benchmarks import measure, run

    settings = measure.Settings(threads=threads, device=device)
    with Progress("bench", quiet) as progress:
        run.run_bench(
            datasets,
            models,
            peers=peers,
            limit=limit,
            json_out=json_out,
            settings=settings,
            echo=progress.print,
            progress=progress.say,
        )

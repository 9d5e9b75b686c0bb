"""`catzip bench`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from .messages import say
from .options import quiet_option, run_device_options
from .progress import Progress


def _budgets(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[int, ...]:
    """The budgets that `--steps` gives, 0 for all; each value may be several with commas between."""
    words = [word for value in values for word in value.split(",")]
    for word in words:
        if word != "all" and (not word.isascii() or not word.isdigit() or int(word) == 0):
            raise click.BadParameter(f"{word!r} is neither a number of steps nor all")
    return tuple(0 if word == "all" else int(word) for word in words)


def _items(context: click.Context, option: click.Parameter, value: str | None) -> range:
    """The items that `--singles` gives: the first so many, or from one to another, counted from 0."""
    if value is None:
        return range(0)
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)", value, re.ASCII)
    items = range(int(found[1] or 0), int(found[2]) + bool(found[1])) if found else range(0)
    if not items:
        raise click.BadParameter(f"{value!r} is neither a number of items nor two of them as 0-49")
    return items


@click.command()
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="text8, enwik8, calgary, dickens, samba, cifar10, mnist, kodak, mcmaster or a file; may be repeated. "
    "Looked for in $CATZIP_DATA.",
)
@click.option("-m", "--model", "models", multiple=True, metavar="MODEL", help="Model; may be repeated.")
@click.option(
    "--steps",
    multiple=True,
    callback=_budgets,
    metavar="S,S|all",
    help="A row for each number of network calls, of models that have a choice; may be repeated.",
)
@click.option(
    "--singles",
    callback=_items,
    metavar="N|A-B",
    help="Of arrays, also the first N items as files of their own, or items A to B.",
)
@click.option("--singles-only", is_flag=True, help="Of arrays these, and not all items as one file.")
@click.option(
    "--peers",
    is_flag=True,
    help="Also gzip, bzip2, xz, and zstd, brotli, PPMd where installed; of images, PNG, WebP and JPEG XL.",
)
@click.option("--peers-only", is_flag=True, help="The peers, and no model.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the first N bytes of each; items of an array; photographs of a set.",
)
@click.option(
    "--no-nll", is_flag=True, help="Leave out the models' own likelihoods, which take as long as coding."
)
@click.option(
    "--json", "json_out", type=click.Path(path_type=Path), metavar="OUT", help="Also write JSON, row by row."
)
@click.option("--resume", is_flag=True, help="Go on with the run in OUT: what it has is not measured again.")
@run_device_options
@quiet_option
def bench(
    datasets: tuple[str, ...],
    models: tuple[str, ...],
    steps: tuple[int, ...],
    singles: range,
    singles_only: bool,
    peers: bool,
    peers_only: bool,
    limit: int | None,
    no_nll: bool,
    json_out: Path | None,
    resume: bool,
    threads: int | None,
    device: str,
    quiet: bool,
) -> None:
    """Measure size, speed and memory.

    On known data sets or files, beside other compressors. Every figure is of a file that was decoded
    and compared.
    """
    from ..benchmarks import run
    from ..benchmarks.measuring import measure

    if resume and json_out is None:
        raise click.UsageError("--resume goes with --json OUT")
    if singles_only and not singles:
        raise click.UsageError("--singles-only goes with --singles N")
    if steps and not models:
        raise click.UsageError("--steps goes with -m MODEL")
    if peers_only and models:
        raise click.UsageError("--peers-only leaves no place for -m MODEL")
    settings = measure.MeasureSettings(threads=threads, device=device, nll=not no_nll)
    with Progress("bench", quiet) as progress:

        def done(line: str) -> None:
            progress.clear()
            if not quiet:
                say(line, err=True)

        whole = not singles_only
        bench = run.Bench(datasets, models, steps, singles, whole, peers, peers_only, limit, settings)
        voices = {"echo": progress.print, "progress": progress.say, "done": done}
        run.run_bench(bench, json_out=json_out, resume=resume, **voices)

"""`catzip train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..compressor.errors import MissingDependencyError
from .messages import complain, say
from .options import quiet_option
from .progress import Progress, clock


@click.command()
@click.argument("recipe")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="CATZIP_DATA",
    required=True,
    show_envvar=True,
    help="Folder of the training data.",
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Time budget; default: the recipe's."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for weights, checkpoint and loss log; default: runs/RECIPE.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out, if it holds one.")
@click.option(
    "--from",
    "start",
    metavar="MODEL|FILE|RUN",
    help="Begin a new run with the weights of a model, of a weight file, or of the run in a folder: to train a model "
    "further, or on other data. An autoregressive network may have more layers, and more rows in its tables, than it "
    "had there; a convolutional network or a flow, more layers that are fine. A run that goes on has begun already.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to train.",
)
@quiet_option
def train(
    recipe: str,
    data: Path,
    minutes: float | None,
    out: Path | None,
    resume: bool,
    start: str | None,
    device: str,
    quiet: bool,
) -> None:
    """Train a model by RECIPE.

    RECIPE is the name of a shipped recipe or a TOML file.
    """
    try:
        from ..models.training import holds_run, run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingDependencyError(
            "training needs torch. Install it: pip install 'catzip[torch]'"
        ) from error
    target = out or Path("runs") / Path(recipe).stem
    if resume and not quiet and not holds_run(target):
        complain(f"{target}: no run to go on with; a new one starts")
    with Progress(f"train {Path(recipe).stem}", quiet) as progress:
        weights = run(
            recipe,
            data,
            minutes,
            target,
            resume,
            start,
            device,
            lambda facts: progress.say(training_line(facts)),
        )
    if not quiet:
        say(f"{weights}: trained. The loss over time is in {target / 'log.jsonl'}", err=True)


def training_line(facts: dict[str, Any]) -> str:
    """A record of the log, as text: `42 %, step 1200, 3,400,000 symbols, loss 1.934 bits, 5:12 left`."""
    parts = [f"{100 * facts['seconds'] / facts['budget']:.0f} %"] if "budget" in facts else []
    parts += [f"step {facts['step']}", f"{facts['symbols']:,} symbols"]
    parts += [f"{key} {facts[key]:.3f} bits" for key in ("loss", "validation", "ordered") if key in facts]
    if "budget" in facts:
        parts.append(f"{clock(max(0, facts['budget'] - facts['seconds']))} left")
    return ", ".join(parts)

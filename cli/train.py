"""`catzip train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import quiet_option
from .progress import Progress


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
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
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
    device: str,
    quiet: bool,
) -> None:
    """Train a model by RECIPE.

    RECIPE is the name of a shipped recipe or a TOML file.
    """
    from ..models.training import run

    target = out or Path("runs") / Path(recipe).stem
    with Progress(f"train {Path(recipe).stem}", quiet) as progress:
        run(recipe, data, minutes, target, resume, device, lambda facts: progress.say(training_line(facts)))
    if not quiet:
        click.echo(f"{target}: trained", err=True)


def training_line(facts: dict[str, Any]) -> str:
    """One line of what training reports: `step 1200, loss 1.934, ...`."""
    return ", ".join(f"{key} {_short(value)}" for key, value in facts.items())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

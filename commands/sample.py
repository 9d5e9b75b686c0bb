"""`catzip sample`."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import click

from .files import STDIO, open_target
from .messages import Refusal
from .options import Settings, run_device_options, sample_steps_option
from .work import named_model

if TYPE_CHECKING:
    from ..compressor.coding.model import Model
    from ..compressor.coding.symbols import Symbols

MOST = 1_000_000  # pictures or texts, all of which are held in memory
LETTERS = " abcdefghijklmnopqrstuvwxyz"
UNKNOWN = "\N{REPLACEMENT CHARACTER}".encode()  # for a byte that no piece of a vocabulary spells


@click.command()
@click.option("-m", "--model", "name", metavar="MODEL", required=True, help="Model to sample from.")
@click.option(
    "-n", "count", type=click.IntRange(1, MOST), metavar="N", default=1, show_default=True, help="How many."
)
@sample_steps_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="SEED",
    help="Draw the same again; default: others each time.",
)
@click.option("-o", "--output", metavar="FILE", default=STDIO, help="Write to FILE, not to standard output.")
@click.option("-f", "--force", is_flag=True, help="Overwrite FILE.")
@run_device_options
def sample(
    name: str,
    count: int,
    steps: int | None,
    seed: int | None,
    output: str,
    force: bool,
    threads: int | None,
    device: str,
) -> None:
    """Draw texts or pictures from MODEL.

    They are what random bits decode to, so they show what the model has learnt. A model of texts gives a line for
    each, a model of pictures one sheet as PNG.
    """
    model = named_model(Settings(threads=threads, device=device).registry(), name, steps)
    import numpy as np

    pictures = model.medium in ("array", "image")
    if pictures and output == STDIO and os.isatty(1):
        raise Refusal("a picture is not written to a terminal. Redirect it, or name a file with -o")
    with open_target(output, source=None, force=force) as sink:
        samples = model.sample(count, steps, np.random.RandomState(seed))
        sink.write(_picture(model, samples) if pictures else _text(model, samples))


def _text(model: Model, samples: Symbols) -> bytes:
    """A line for each of the texts [N, D]; what cannot be printed is a space."""
    if model.medium == "text27":
        lines = ["".join(LETTERS[symbol] for symbol in row) for row in samples.tolist()]
    elif model.vocabulary is not None:
        lines = [model.vocabulary.spell(row, UNKNOWN).decode("utf-8", "replace") for row in samples]
    else:
        lines = [row.tobytes().decode("utf-8", "replace") for row in samples]
    return "".join(f"{''.join(c if c.isprintable() else ' ' for c in line)}\n" for line in lines).encode()


def _picture(model: Model, samples: Symbols) -> bytes:
    """A sheet of the pictures [N, D] as PNG. Raises Refusal for items that are no pictures."""
    from .sheets import png, sheet

    size = model.sample_shape
    channels = samples.shape[1] // math.prod(size[:2])
    if len(size) not in (2, 3) or channels not in (1, 3):
        raise Refusal(f"{model.name} codes items of shape {list(size)}, which are no pictures")
    return png(sheet(samples.reshape(-1, *size[:2], channels)))

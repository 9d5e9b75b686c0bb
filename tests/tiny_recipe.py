"""A recipe of a tiny network, and text to train it on."""

from pathlib import Path

import numpy as np
from helpers import TEXT

RECIPE = """
name = "tiny"
family = "autoregressive"
medium = "bytes"
about = "a test"
data = [{ path = "a.txt", share = 2, stop = -3000 }, { path = "b.txt", share = 1 }]
validation = [{ path = "a.txt", share = 1, start = -3000 }]
[model]
alphabet = 256
width = 24
state = 24
depth = 1
hidden = 16
embed = 8
ngrams = [[1, 8], [2, 8]]
[coding]
orders = [1, 2, 3]
bits = 16
limit = 255
rate = 28000
start = 12000
[schedule]
minutes = 1
groups = 2
lanes = 4
steps = 16
learning_rate = 1e-2
warmup = 5
ema = 0.9
"""
WORDS = TEXT.split()
DATA = " ".join(WORDS[i] for i in np.random.RandomState(0).randint(0, len(WORDS), 6000))


def written(folder: Path) -> Path:
    """The recipe as tiny.toml in this folder, with its data."""
    (folder / "a.txt").write_text(DATA)
    (folder / "b.txt").write_text(DATA[::-1])
    (folder / "tiny.toml").write_text(RECIPE)
    return folder

"""What a model would make of symbols, from a look at a few of them."""

import math

import numpy as np

from ..coding.model import Model
from ..coding.symbols import Symbols

_PROBE = 1 << 11  # symbols of each of 3 samples
_CROP = 64  # pixels: sides of each of 4 crops of an image


def probe(model: Model, symbols: Symbols, shape: tuple[int, ...] = ()) -> float:
    """The model's bits for each symbol, from samples of `symbols` [n], which are coded as one frame.

    shape  see `Content.split`
    """
    if len(shape) == 3:
        crops = sample_image(symbols.reshape(shape))
        sample, shape = crops.ravel(), crops.shape
    else:
        sample = sample_run(symbols, math.prod(model.shape))
    return model.nll(sample, model.plan(len(sample), shape=shape)) / len(sample)


def sample_run(symbols: Symbols, item: int) -> Symbols:
    """Three runs of `symbols` [n], one behind the other, each of whole items of so many symbols."""
    size = max(item, _PROBE // item * item)
    starts = np.linspace(0, max(0, len(symbols) - size), 3).astype(int) // item * item
    return np.concatenate([symbols[start : start + size] for start in starts.tolist()])


def sample_image(image: Symbols) -> Symbols:
    """Four crops of an image [H, W, C], one below the other, from all over it; longer where it is narrow or low."""
    rows = min(len(image), _CROP)
    columns = min(image.shape[1], _CROP**2 // rows)
    rows = min(len(image), _CROP**2 // columns)
    down = np.linspace(0, len(image) - rows, 4).astype(int).tolist()
    right = np.linspace(0, image.shape[1] - columns, 4).astype(int)[[1, 3, 0, 2]].tolist()
    crops = zip(down, right, strict=True)
    return np.concatenate([image[y : y + rows, x : x + columns] for y, x in crops])

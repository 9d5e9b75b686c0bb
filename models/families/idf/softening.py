"""Photographs made as soft as those of cameras, from sharper ones that were reduced for training."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, interpolate

from ...backends.base import NumpyArray


def softened(images: NumpyArray, factor: float, noise: float, rng: np.random.Generator) -> NumpyArray:
    """The middle of images uint8 [B, h, w, C], enlarged to their size, with noise of this deviation in levels, of which
    the channels share a half; in half of the cases, then with `smooth_colours`, which leaves noise of the mean."""
    _, height, width, _ = images.shape
    rows, columns = (int(length / factor) for length in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    part = torch.from_numpy(images[:, top : top + rows, left : left + columns].astype(np.float32))
    large = interpolate(part.permute(0, 3, 1, 2), (height, width), mode="bicubic").permute(0, 2, 3, 1)
    grain = rng.normal(size=(*images.shape[:3], 1)) + rng.normal(size=images.shape)
    pixels = large.numpy() + grain * (noise * 0.5**0.5)
    if rng.random() < 0.5:
        pixels = smooth_colours(pixels)
    found: NumpyArray = np.floor(pixels + 0.5).clip(0, 255).astype(np.uint8)
    return found


def smooth_colours(pixels: NumpyArray) -> NumpyArray:
    """Pixels [B, h, w, C] whose channels differ from their mean at half the resolution: sensors see one colour at each
    pixel, and JPEG keeps half of the differences."""
    mean = pixels.mean(-1, keepdims=True)
    colours = torch.from_numpy(pixels - mean).permute(0, 3, 1, 2)
    half = avg_pool2d(colours, 2, ceil_mode=True, count_include_pad=False)
    smooth = interpolate(half, pixels.shape[1:3], mode="bilinear").permute(0, 2, 3, 1)
    found: NumpyArray = mean + smooth.numpy()
    return found

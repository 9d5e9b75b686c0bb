"""Corrections that suit an image: a few steps of Fisher scoring, on some of its pixels.

The mixtures are as the flow makes them, and the weights that minimise the bits of the known values are sought in turn:
the outer products of the gradients stand for the Hessian, as in natural gradient descent (Amari 1998), with a normal
prior on the weights. All sums are of integers, exact in float64 whatever the order, and the system is solved by
operations on single numbers: so the fit, and with it the file, is the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ....compressor.coding.pmf import PRECISION
from ...backends.base import WEIGHT_MAX, Array, Arrays, NumpyArray
from ...backends.workers import Workers
from ...layers.grid import ACT
from ...layers.logistics import MEAN, MEAN_MAX
from . import colour
from .corrections import BIAS, EXPONENTS, Weights, best_spread, weight_pmf
from .costs import rough_bits
from .enc_colour import best_chroma_offsets, best_rct
from .enc_gradients import MixtureGradients
from .enc_native_fitting import NativeTrial
from .flow import Flow
from .native_flow import NativeFlow
from .squeeze import Head

_PIXELS = (
    1 << 16
)  # of an image that are looked at: twice as many save another 0.2 %, and take as long as all the rest
_SIDE = 128  # of a crop, as of the tiles of `idf-photo`: near their edges less is seen, and weights suit that
_LEAST_ROWS = 1 << 9  # fewer pixels of a head do not pay for weights
_MOST_ROWS = 1 << 15  # 2**15 squares of codes (14 bits) times squares of gradients (22 bits): below 2**53
_SPREAD = 8  # bits of one
_STEPS = 5
_LEAST_GAIN = 16.0  # bits, of a step that is worth another
_PRIOR = 8.0  # standard deviation of a weight
_NAT = 1.4426950408889634  # bits
_GRADIENT_MAX = (1 << 11) - 1
_GRADIENT_STEPS = (512.0, 256.0)  # steps of a gradient: for each level, and for each unit of ln(scale)
_UNITS = (1024.0, 4096.0)  # codes times weights in a level, and in a unit of ln(scale)


@dataclass
class Observed:
    """What the networks made of the pixels of a head.

    head_inputs  codes int8 [N, inputs]          y       mixtures int16 [N, 3 components]
    guess        int32 [N], in half levels       values  int64 [N]
    """

    head_inputs: NumpyArray
    y: NumpyArray
    guess: NumpyArray
    values: NumpyArray


@dataclass
class Recorder:
    """Takes the place of corrections in `Flow.steps`: changes nothing and keeps what they would see."""

    arrays: Arrays
    seen: dict[Head, tuple[NumpyArray, NumpyArray, NumpyArray]] = field(default_factory=dict)

    def __call__(self, phase: int, channel: int, head_inputs: Array, y: Array, guess: NumpyArray) -> Array:
        codes, mixtures = self.arrays.fetch(head_inputs), self.arrays.fetch(y)
        self.seen[phase, channel] = codes.astype(np.int8), mixtures.astype(np.int16), guess
        return y


def best_corrections(flow: Flow, workers: Workers, image: NumpyArray, has_rct: bool) -> Weights:
    """Weights for `Corrections` of uint8 [H, W, C], fitted to what is `sampled` of it: 0 for heads that do not pay."""
    crops = sampled(image)
    if has_rct:
        crops = colour.apply_rct(crops, best_rct(flow, workers, crops))
    if image.shape[-1] == 3:
        crops = colour.offset_chroma(crops, best_chroma_offsets(crops))
    groups = workers.groups(len(crops), least=1)
    recorded = workers.map(lambda i: _record(flow, crops[groups[i]]), groups)
    whole = {
        head: Observed(*map(np.concatenate, zip(*(each[head] for each in recorded), strict=True)))
        for head in recorded[0]
    }
    times = image.size / crops.size
    weights = {
        head: np.zeros((2, inputs + 1), np.int64) for head, inputs in flow.heads(image.shape[-1]).items()
    }
    # Couplings may leave planes of a grey image where no channel of its own is; there, nothing is sent.
    heads = [head for head in whole if head in weights]
    shares = workers.groups(len(heads), least=1)

    def fit(i: int) -> Weights:
        return {head: fitted(flow, whole[head], times) for head in heads[shares[i]]}

    for found in workers.map(fit, shares):
        weights.update(found)
    return weights


def sampled(image: NumpyArray) -> NumpyArray:
    """Crops uint8 [B, h, w, C] of [H, W, C], evenly spread: all of it where that is not more than `_PIXELS`."""
    height, width, _ = image.shape
    if height * width <= _PIXELS:
        return image[None]
    h, w = min(_SIDE, height), min(_SIDE, width)
    down = round(math.sqrt(_PIXELS / (h * w) * height / width))
    down = max(1, min(down, height // h, _PIXELS // (h * w)))
    across = max(1, min(_PIXELS // (h * w * down), width // w))
    tops, lefts = (
        [length * (2 * i + 1) // (2 * count) - side // 2 for i in range(count)]
        for length, side, count in ((height, h, down), (width, w, across))
    )
    return np.stack([image[y : y + h, x : x + w] for y in tops for x in lefts])


def _record(flow: Flow, images: NumpyArray) -> dict[Head, tuple[NumpyArray, ...]]:
    recorder = Recorder(flow.arrays)
    flow.show(images, recorder)
    # The finest level comes last, in the order in which it is seen.
    values = flow.forward(images)[-len(recorder.seen) :] if recorder.seen else []
    return {
        head: (*seen, plane.ravel().astype(np.int64))
        for (head, seen), plane in zip(recorder.seen.items(), values, strict=True)
    }


def fitted(flow: Flow, seen: Observed, times: float) -> NumpyArray:
    """Weights int [2, inputs + 1] for what is ``times`` as much as was seen."""
    rows, inputs = seen.head_inputs.shape
    weights = np.zeros((2, inputs + 1), np.int64)
    if rows < _LEAST_ROWS:
        return weights
    trial = _trial(flow, seen)
    best, gradients = trial.at(weights)
    first = best
    for _ in range(_STEPS):
        step = _step(trial, weights, gradients)
        for share in (1.0, 0.5):
            moved = np.floor(weights + share * step + 0.5).clip(-WEIGHT_MAX, WEIGHT_MAX).astype(np.int64)
            bits, there = trial.at(moved)
            if bits < best:
                break
        if bits > best - _LEAST_GAIN:
            break
        weights, best, gradients = moved, bits, there
    # A weight that is fitted to noise gains half a nat here, and loses as much on what is not seen.
    gain = first - best - np.count_nonzero(weights) * _NAT
    return weights if gain * times > _cost(weights) else np.zeros_like(weights)


def _cost(weights: NumpyArray) -> float:
    """Bits that it takes to send them."""
    rows = [(row + WEIGHT_MAX, best_spread(row)) for row in weights if row.any()]
    return sum(
        _SPREAD + float(rough_bits(weight_pmf(np.array([at])).freqs[0, row]).sum()) for row, at in rows
    )


def _step(trial: Trial, weights: NumpyArray, gradients: NumpyArray) -> NumpyArray:
    """What to add to weights with these gradients, float64 [2, inputs + 1]."""
    found = []
    for k, gradient, steps, units in zip(weights, gradients, _GRADIENT_STEPS, _UNITS, strict=True):
        products, sums = trial.sums(gradient)
        unit = 1 / (steps * units)
        fisher = products * unit**2
        fisher[np.diag_indices_from(fisher)] += _PRIOR**-2
        found.append(trial.solved(fisher, sums * unit - k * _PRIOR**-2))
    return np.stack(found)


class Trial(Protocol):
    """What weights cost, tried on what was seen of a head."""

    def at(self, weights: NumpyArray) -> tuple[float, NumpyArray]:
        """About how many bits the values take, their mixtures corrected by these weights; and the gradients [2, N] of
        ln p by the means and by ln(scale), in whole steps."""
        ...

    def sums(self, gradients: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
        """Of gradients [N] times codes: the sums of the products of each two columns, float64 [inputs + 1, inputs + 1],
        and of each column, [inputs + 1]."""
        ...

    def solved(self, a: NumpyArray, b: NumpyArray) -> NumpyArray:
        """x of a x = b, a symmetric and positive definite, by elimination."""
        ...


def _trial(flow: Flow, seen: Observed) -> Trial:
    rows, inputs = seen.head_inputs.shape
    codes = np.full((min(rows, _MOST_ROWS), inputs + 1), BIAS, np.int8)
    codes[:, :-1] = seen.head_inputs[:_MOST_ROWS]
    y, guess, values = (each[:_MOST_ROWS] for each in (seen.y, seen.guess, seen.values))
    if isinstance(flow, NativeFlow):
        return NativeTrial(flow.tables, codes, y, guess, values)
    return NumpyTrial(flow.gradients, codes, y, guess, values)


class NumpyTrial:
    """As `Trial`."""

    def __init__(
        self,
        gradients: MixtureGradients,
        codes: NumpyArray,
        y: NumpyArray,
        guess: NumpyArray,
        values: NumpyArray,
    ) -> None:
        """Codes, that of the bias the last, [N, inputs + 1]; the others as in `Observed`."""
        self._gradients, self._guess, self._values = gradients, guess, values
        self._codes, self._y = codes.astype(np.float64), y.astype(np.float64)

    def at(self, weights: NumpyArray) -> tuple[float, NumpyArray]:
        y, m = self._y.copy(), self._y.shape[1] // 3
        for i, (k, exponent) in enumerate(zip(weights, EXPONENTS, strict=True)):
            change = np.floor((self._codes @ k.astype(np.float64)) * 2.0 ** (MEAN - ACT - exponent) + 0.5)
            y[:, (i + 1) * m : (i + 2) * m] += change[:, None]
        p, *found = self._gradients(y.clip(-MEAN_MAX, MEAN_MAX), self._guess, self._values)
        steps = np.floor(np.stack(found) * np.array(_GRADIENT_STEPS)[:, None] + 0.5)
        bits = float(rough_bits(np.floor(p * 2.0**PRECISION) + 1).sum())
        return bits, steps.clip(-_GRADIENT_MAX, _GRADIENT_MAX)

    def sums(self, gradients: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
        rows = gradients[:, None] * self._codes
        return rows.T @ rows, rows.sum(0)

    def solved(self, a: NumpyArray, b: NumpyArray) -> NumpyArray:
        return _solved(a, b)


def _solved(a: NumpyArray, b: NumpyArray) -> NumpyArray:
    """x of a x = b, a symmetric and positive definite, by elimination: no library that may add in another order."""
    rows = np.concatenate([a, b[:, None]], 1)
    for i in range(len(rows)):
        rows[i] /= rows[i, i]
        factors = rows[:, i].copy()
        factors[i] = 0
        rows -= factors[:, None] * rows[i]
    return rows[:, -1].copy()

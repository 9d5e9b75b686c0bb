"""Fits of corrections: they save bits where there is something to save, and are the same everywhere."""

from itertools import pairwise

import numpy as np
import pytest
from backends import OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from test_idf import image
from tiny_models import flow, plain_plan

from catzip.models.backends.base import NumpyArray
from catzip.models.backends.select import arrays_for
from catzip.models.backends.workers import Workers
from catzip.models.families.idf.codec import SAMPLE_SHAPE
from catzip.models.families.idf.corrections import Corrections
from catzip.models.families.idf.costs import costs
from catzip.models.families.idf.digests import grained
from catzip.models.families.idf.enc_fitting import _solved, best_corrections, sampled
from catzip.models.layers.grid import LOGIT
from catzip.models.layers.logistics import LEVEL, MEAN, Logistics, logistic_tables

PHOTO = flow("idf-photo")


@pytest.mark.parametrize("channels", [1, 3])
def test_they_pay(channels: int):
    """A file with them is smaller than one without, though what they are is a part of it."""
    picture = grained(90, 100, channels)
    own = PHOTO.plan(picture.size, shape=picture.shape)
    without = PHOTO.nll(picture.ravel(), (*own[:4], *((1,) if channels == 3 else ())))
    assert PHOTO.nll(picture.ravel(), own) < 0.95 * without


def test_what_the_model_expects_needs_none():
    """Its own draws are fitted by what is there: then nothing is sent."""
    drawn = PHOTO.sample(1, None, np.random.RandomState(1))[0]
    found = best_corrections(PHOTO._flow, Workers(1), drawn.reshape(*SAMPLE_SHAPE, 3), True)
    assert not any(each.any() for each in found.values())


def test_few_pixels_are_not_fitted():
    found = best_corrections(PHOTO._flow, Workers(1), grained(40, 50, 3), False)
    assert {head: each.shape[1] - 1 for head, each in found.items()} == PHOTO._flow.heads(3)
    assert not any(each.any() for each in found.values())


@pytest.mark.parametrize("name", ["idf-photo", "flow-coupled", "flow-fine"])
@pytest.mark.parametrize("threads", [2, 3])
def test_workers_change_nothing(name: str, threads: int):
    same_weights(name, Workers(1), name, Workers(threads), "cpu")


@pytest.mark.parametrize("device", [each for each in OTHERS if each != "torch-int8"])
def test_every_backend_finds_the_same(device: str):
    backend(device)  # skips where there is none
    same_weights("idf-photo", Workers(1), "idf-photo", Workers(1), device)


def same_weights(one: str, workers: Workers, other: str, others: Workers, device: str) -> None:
    picture = grained(300, 260, 3)  # more than is looked at
    first = best_corrections(flow(one)._flow, workers, picture, True)
    second = best_corrections(flow(other, device)._flow, others, picture, True)
    assert any(each.any() for each in first.values())
    assert all(np.array_equal(first[head], second[head]) for head in first)


def test_what_is_foreseen_is_what_is_saved():
    """The codec's own bits fall, with the weights as they are sent."""
    net, picture = PHOTO._flow, grained(90, 100, 1)
    weights = best_corrections(net, Workers(1), picture, False)
    before = costs(net, picture[None])[0]
    after = costs(net, picture[None], Corrections(net.arrays, weights, net.config.components))[0]
    assert after < 0.95 * before
    for head in weights:  # each part of them
        less = {at: each * (at != head) for at, each in weights.items()}
        assert (
            costs(net, picture[None], Corrections(net.arrays, less, net.config.components))[0] >= after - 16
        )


@settings(deadline=None)
@given(height=st.integers(1, 700), width=st.integers(1, 700))
def test_crops_are_evenly_spread(height: int, width: int):
    rows, columns = np.indices((height, width))
    crops = sampled(np.stack([rows, columns], -1))
    assert crops.shape[-1] == 2 and crops[..., 0].size <= 1 << 16
    if height * width <= 1 << 16:
        assert len(crops) == 1 and crops[0].shape == (height, width, 2)
        return
    assert crops.shape[1:3] == (min(128, height), min(128, width))
    for axis, length in ((0, height), (1, width)):
        ends = sorted({(int(each[..., axis].min()), int(each[..., axis].max())) for each in crops})
        before, after = ends[0][0], length - 1 - ends[-1][1]
        assert abs(before - after) <= 2, "as much is left out before as after"
        assert all(here[1] < there[0] for here, there in pairwise(ends)), "none overlap"


def mixtures(seed: int) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
    """float64 [N, 12] of narrow and wide ones, guesses [N], values [N] near and far."""
    random = np.random.RandomState(seed)
    n, m = 400, PHOTO._flow.config.components
    logits, means = random.normal(0, 1, (n, m)), random.normal(0, 6, (n, m)) / 16
    scales = random.uniform(-1.2, 3, (n, m))
    y = np.concatenate([logits * 2**LOGIT, means * 2**MEAN, scales * 2**MEAN], 1).round()
    guess = random.randint(0, 511, n)
    values = (guess // 2 + random.normal(0, 4, n)).round().clip(0, 255).astype(np.int64)
    return y, guess, values


def test_gradients_know_the_probability_of_the_codec():
    y, guess, values = mixtures(0)
    net = PHOTO._flow
    tensors = {"exp": net.gradients._exp.astype(np.int32), **logistic_tables()}
    exact = Logistics(arrays_for("cpu"), tensors, 256, net.config.components)
    edges = np.zeros((1, 1), int) + (np.arange(17) << 4)
    high = exact(y.astype(np.float32), guess.astype(np.int32), edges) / 2.0**24
    rows, top = np.arange(len(y)), values >> 4
    low = exact(y.astype(np.float32), guess.astype(np.int32), (top << 4)[:, None] + np.arange(17)) / 2.0**24
    p = high[rows, top] * low[rows, values % 16]
    found = net.gradients(y, guess, values)[0]
    assert np.abs(np.log2(found) - np.log2(p)).max() < 0.1
    assert abs(np.log2(found).sum() / np.log2(p).sum() - 1) < 1e-3


@pytest.mark.parametrize("part,step,unit", [(1, 4, 2**LEVEL), (2, 64, 2**MEAN)])
def test_gradients_are_those_of_the_probability(part: int, step: int, unit: int):
    """As differences of ln p have it, for each level of the means and each unit of ln(scale)."""
    y, guess, values = mixtures(1)
    m = PHOTO._flow.config.components
    shift = np.zeros_like(y)
    shift[:, part * m : (part + 1) * m] = step
    gradients = PHOTO._flow.gradients
    below, above = (np.log(gradients(y + sign * shift, guess, values)[0]) for sign in (-1, 1))
    numeric, found = (above - below) / (2 * step) * unit, gradients(y, guess, values)[part]
    assert np.corrcoef(numeric, found)[0, 1] > 0.99
    assert np.polyfit(numeric, found, 1)[0] == pytest.approx(1, abs=0.1)


def test_a_system_is_solved():
    random = np.random.RandomState(5)
    a = random.normal(0, 1, (200, 60))
    a, b = a.T @ a + 0.1 * np.eye(60), random.normal(0, 1, 60)
    assert np.allclose(_solved(a, b), np.linalg.solve(a, b), rtol=1e-9)


def test_random_networks_gain_too():
    """Whose mixtures are far off: the steps are cut short where they overshoot."""
    picture = image(3, 60, 64, 3)
    for name in ("flow", "flow-coupled"):
        coder = flow(name)
        plan = plain_plan(coder, picture.size, (64, 3, 64, 1))
        with_them, without = (coder.nll(picture.ravel(), (*plan, *extra)) for extra in ((2,), ()))
        assert with_them < without

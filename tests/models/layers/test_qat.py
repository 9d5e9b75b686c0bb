"""The network in training and the exact one agree: same weights, same logits, same view of the text."""

import math
from dataclasses import asdict, replace
from unittest.mock import patch

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tiny_models import CONFIGS, mixed_text, model, tiny_checkpoint  # noqa: E402

from catzip.compressor.coding.pmf import TOTAL  # noqa: E402
from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.models.backends.base import NumpyArray  # noqa: E402
from catzip.models.backends.numpy import NumpyArrays  # noqa: E402
from catzip.models.backends.select import arrays_for  # noqa: E402
from catzip.models.families.autoregressive.training import AutoregressiveTask  # noqa: E402
from catzip.models.families.lanes import Layout  # noqa: E402
from catzip.models.layers import grid  # noqa: E402
from catzip.models.layers.qat import modules as layers  # noqa: E402
from catzip.models.layers.qat.recurrence import recurrence  # noqa: E402
from catzip.models.mixing.contexts import MATCH_LENGTHS, Past  # noqa: E402
from catzip.models.networks.recurrent import ExactNetwork  # noqa: E402
from catzip.models.training.datasets import Batch, normalise_text8, text_batches, to_symbols  # noqa: E402
from catzip.models.training.schedule import Schedule  # noqa: E402

SCHEDULE = Schedule(minutes=1, groups=1, lanes=8, steps=40, learning_rate=1e-2)
TRAINED = ("letters", "letters-mlp", "bytes", "bytes-mlp")


@pytest.fixture(autouse=True)
def rounding_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers.Rounding, "on", True)


def task_of(name: str, seed: int = 0) -> AutoregressiveTask:
    """A random network as training starts with it, but with biases."""
    torch.manual_seed(seed)
    coding = tiny_checkpoint(name).config["coding"]
    task = AutoregressiveTask(asdict(CONFIGS[name]), coding, SCHEDULE, torch.device("cpu"))
    with torch.no_grad():
        for key, parameter in task.net.named_parameters():
            if key.endswith("bias"):
                parameter += 0.1 * torch.randn_like(parameter)
    return task


def batch_of(name: str) -> Batch:
    config = CONFIGS[name]
    text = mixed_text(config.alphabet, SCHEDULE.lanes * SCHEDULE.steps, seed=2)
    return next(text_batches([text], [1.0], config.ngrams, groups=1, lanes=8, steps=40, seed=0))


def training_logits(task: AutoregressiveTask, rows: NumpyArray) -> NumpyArray:
    """In steps of the grid, float64 [T, L, K]."""
    states = torch.zeros(task.config.depth, rows.shape[-1], task.config.state)
    with torch.no_grad():
        logits, _ = task.net(torch.from_numpy(rows), states)
    return logits.double().numpy() * 2**grid.LOGIT


def exact_logits(task: AutoregressiveTask, rows: NumpyArray) -> NumpyArray:
    network = ExactNetwork(task.config, task.export([]), arrays_for("cpu"))
    return np.asarray(network.logits(rows.astype(np.intp), network.start(rows.shape[-1])), np.float64)


def nats(logits: NumpyArray, symbols: NumpyArray) -> float:
    """Mean -ln p of symbols [T, L] for logits [T, L, K] in steps of the grid."""
    real = logits / 2**grid.LOGIT
    log_z = np.log(np.exp(real).sum(-1))
    return float((log_z - np.take_along_axis(real, symbols[..., None].astype(int), -1)[..., 0]).mean())


def agreement(task: AutoregressiveTask, batch: Batch, within: int) -> float:
    """Share of the logits that are so many steps of a 256th of a nat apart, or fewer."""
    ours, theirs = training_logits(task, batch.rows), exact_logits(task, batch.rows)
    assert np.ptp(theirs) > 500  # they say something
    return float((np.abs(ours - theirs) <= within).mean())


def put_biases_on_the_grid(task: AutoregressiveTask) -> None:
    with torch.no_grad():
        for module in task.net.modules():
            if isinstance(module, layers.Linear):
                module.bias.copy_(torch.floor(module.bias * 2.0**module.bits + 0.5) / 2.0**module.bits)


@pytest.mark.parametrize("name", TRAINED)
def test_with_biases_on_the_grid_the_logits_are_the_same(name: str):
    """But for what a code of a norm does here and there, which the exact network takes from an integer reciprocal."""
    task, batch = task_of(name), batch_of(name)
    put_biases_on_the_grid(task)
    assert agreement(task, batch, within=0) > 0.7
    assert agreement(task, batch, within=16) > 0.99


@pytest.mark.parametrize("name", TRAINED)
def test_logits_and_likelihood_agree(name: str):
    """Biases, too, are rounded at export, and networks as narrow as these feel it: still, an eighth of a nat."""
    task, batch = task_of(name), batch_of(name)
    assert agreement(task, batch, within=32) > 0.95
    ours, theirs = training_logits(task, batch.rows), exact_logits(task, batch.rows)
    assert nats(ours, batch.symbols) == pytest.approx(nats(theirs, batch.symbols), rel=0.002)


@pytest.mark.parametrize("name", TRAINED)
def test_the_agreement_is_that_of_rounding(name: str):
    """Without it the two drift apart: what the tests above measure can fail."""
    task, batch = task_of(name), batch_of(name)
    put_biases_on_the_grid(task)
    exact = exact_logits(task, batch.rows)
    with patch.object(layers.Rounding, "on", False):
        ours = training_logits(task, batch.rows)
    assert (ours == exact).mean() < 0.1 and (np.abs(ours - exact) <= 16).mean() < 0.9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_norms_differ_by_a_code_at_most_and_seldom(seed: int):
    random = np.random.RandomState(seed)
    x = np.floor(random.randn(200, 32) * 10 ** random.uniform(0.5, 3, (200, 1))).astype(np.float32)
    ours = layers.rms_norm(torch.from_numpy(x / 2**grid.RES)).numpy() * 2**grid.ACT
    apart = np.abs(ours - grid.rms_norm(arrays_for("cpu"), x))
    assert apart.max() <= 1 and apart.mean() < 0.01


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_recurrences_are_the_same(seed: int):
    """From the same gates, candidates and states: but for a tie now and then, which float32 rounds the other way and
    which then is a step in the state, sigmoid from a table against the real one."""
    random = np.random.RandomState(seed)
    forget = random.randint(-511, 512, (6, 2, 5))
    candidate, h = random.randint(-(2**14), 2**14 + 1, (6, 2, 5)), random.randint(-(2**14), 2**14 + 1, (2, 5))
    ours = recurrence(*(torch.from_numpy(a) / 2.0**b for a, b in ((forget, 6), (candidate, 12), (h, 12))))
    a = grid.sigmoid_table()[forget + 511].astype(np.int64)
    for t in range(6):
        h = h + (((2**12 - a[t]) * (candidate[t] - h) + 2**11) >> 12)
        difference = np.abs(ours[t].numpy() * 2**12 - h)
        assert difference.max() <= 2 and np.mean(difference == 0) >= 0.75


@pytest.mark.parametrize("name", TRAINED)
def test_the_loss_is_the_likelihood_in_bits(name: str):
    task, batch = task_of(name), batch_of(name)
    expected = nats(training_logits(task, batch.rows), batch.symbols) / math.log(2)
    assert float(task.loss(batch).detach()) == pytest.approx(expected, rel=1e-5)
    again = float(task.loss(replace(batch, fresh=np.zeros(8, bool))).detach())
    assert again != pytest.approx(expected, rel=1e-6)  # the states of the lanes ran on
    assert float(task.loss(batch).detach()) == pytest.approx(expected, rel=1e-5)  # fresh lanes start anew


@pytest.mark.parametrize("name", TRAINED)
def test_export_makes_what_the_exact_network_reads(name: str):
    ours, theirs = task_of(name).export([]), tiny_checkpoint(name).arrays
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        assert (array.dtype, array.shape) == (theirs[key].dtype, theirs[key].shape), key


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(-9, 3))
def test_weights_are_rounded_as_they_are_exported(seed: int, size: float):
    torch.manual_seed(seed)
    layer = layers.Linear(7, 5, bits=8, limit=1000)
    with torch.no_grad():
        layer.weight *= 2.0**size
        layer.weight[0] = 0
    exported = layer.export()
    real = exported["weight"] * np.exp2(-exported["exponent"].astype(np.float64))[:, None]
    assert np.array_equal(layer.rounded_weight().detach().numpy(), real.astype(np.float32))
    assert np.abs(exported["weight"].astype(int)).max() <= 63
    assert exported["exponent"].min() >= 0 and exported["exponent"].max() <= 20
    largest = np.abs(exported["weight"].astype(int)).max(1)
    grown = (exported["exponent"] < 20) & (exported["exponent"] > 0)
    assert (largest[grown] > 31).all()  # all seven bits are used


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(-6, 1))
def test_fine_weights_are_those_that_are_exported(seed: int, size: float):
    """They leave a sixtieth of what 7 bits leave, or less; outputs are the same in training and at inference."""
    torch.manual_seed(seed)
    layer = layers.Linear(7, 5, bits=8, limit=300, fine=True)
    with torch.no_grad():
        layer.weight *= 2.0**size
        layer.bias += torch.arange(5) / 8
    exported = layer.export()
    real = exported["weight"] * np.exp2(-exported["exponent"].astype(np.float64))[:, None]
    coarse, fine = np.split(real, 2)
    wanted = layer.weight.detach().numpy().astype(np.float64)
    assert np.abs(wanted - coarse - fine).max() <= max(np.abs(wanted - coarse).max() / 60, 2**-21)
    codes = np.random.RandomState(seed).randint(-127, 128, (20, 7)).astype(np.float32)
    exact = grid.FineLinear.load(
        NumpyArrays(), {f"a.{key}": each for key, each in exported.items()}, ["a"], [8]
    )
    found = layer(torch.from_numpy(codes * 2.0**-grid.ACT)).detach().numpy() * 2.0**8
    assert np.array_equal(found, exact(codes).clip(-300, 300))
    other = layers.Linear(7, 5, bits=8, limit=300, fine=True)
    with torch.no_grad():
        other.adopt(exported)
    again = other.export()
    assert all(np.array_equal(again[key], each) for key, each in exported.items() if key == "bias")
    assert np.allclose(other.weight.detach(), coarse + fine, atol=2**-22)


def test_a_fine_layer_begins_with_the_weights_of_one_that_is_not():
    plain, fine = (layers.Linear(7, 5, bits=8, limit=300, fine=each) for each in (False, True))
    with torch.no_grad():
        fine.adopt(plain.export())
    assert torch.equal(fine.weight, plain.rounded_weight()) and torch.equal(fine.bias, plain.bias)


@pytest.mark.parametrize("name", TRAINED)
def test_training_sees_the_contexts_that_coding_sees(name: str):
    """The rows of the tables for one stretch of text in lanes, matches among them, step for step."""
    coder, config, layout = model(name), CONFIGS[name], Layout.of(320, (8, 40))
    text = mixed_text(config.alphabet, 320, seed=2)
    seen = []

    def record(past: Past, states: object) -> NumpyArray:
        seen.append(coder.network.rows(past))
        uniform = np.full((*past.recent.shape, config.alphabet), TOTAL // config.alphabet, np.uint32)
        uniform[..., 0] += TOTAL - TOTAL // config.alphabet * config.alphabet
        return uniform

    with patch.object(coder.network, "frequencies", record):
        frame = coder.frame(layout, 40)
        list(frame.forced(layout.columns(0, 40).cut(text), frame.ahead(text)))
    batch = batch_of(name)  # of the same text, which leaves one way to cut it
    assert np.array_equal(batch.symbols, layout.columns(0, 40).cut(text))
    assert np.array_equal(batch.rows, np.concatenate(seen, axis=1))
    assert (batch.rows[-1] % MATCH_LENGTHS > 0).any()


def test_batches_run_on_and_start_fresh():
    """Lanes go on from batch to batch, all of a group at once, until too little is left of their stretch."""
    text = np.arange(400).astype(np.uint8)
    stream = text_batches([text], [1.0], ((1, 8),), groups=2, lanes=2, steps=30, seed=0, lengths=(100,))
    batches = [next(stream) for _ in range(7)]
    assert [batch.fresh.tolist() for batch in batches] == [[i % 3 == 0] * 4 for i in range(7)]
    before = np.zeros(4, np.uint8)
    for batch in batches:
        assert batch.rows.shape == (2, 30, 4) and batch.symbols.shape == (30, 4)
        assert (np.diff(batch.symbols.astype(int), axis=0) % 256 == 1).all()
        if batch.fresh.any():
            assert (batch.rows[0, 0] == 0).all()
        else:
            assert (batch.symbols[0] == before + 1).all() and (batch.rows[0, 0] == before).all()
        before = batch.symbols[-1]


def test_shares_are_shares_of_the_mix():
    texts = [np.full(5000, symbol, np.uint8) for symbol in (1, 2)]
    batches = text_batches(texts, [3, 1], ((1, 8),), groups=4, lanes=1, steps=50, seed=0, lengths=(50,))
    seen = np.concatenate([next(batches).symbols for _ in range(100)])
    assert 0.68 < (seen == 1).mean() < 0.82


def test_a_corpus_too_short_for_a_batch_is_refused():
    with pytest.raises(CatzipError, match="a corpus has 99 symbols; 4 lanes of 25 steps need 100"):
        next(text_batches([np.zeros(99, np.uint8)], [1.0], ((1, 8),), groups=1, lanes=4, steps=25, seed=0))


def test_normalising_is_mahoneys():
    assert normalise_text8(b"In 1990, a [[cat]] -- it's caf\xc3\xa9!") == (
        b"in one nine nine zero a cat it s caf "
    )
    assert to_symbols(b"Az 0", 27).tolist() == [1, 26, 0, 26, 5, 18, 15, 0]
    assert to_symbols(b"Az\xff", 256).tolist() == [65, 122, 255]

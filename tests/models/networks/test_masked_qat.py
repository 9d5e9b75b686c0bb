"""The masked networks in training and the exact ones agree: same weights, same view of the data, same bits."""

from dataclasses import asdict
from unittest.mock import patch

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tiny_models import MASKED, tiny_checkpoint  # noqa: E402

from catzip.models.backends.base import CODE_MAX, NumpyArray  # noqa: E402
from catzip.models.backends.numpy import NumpyArrays  # noqa: E402
from catzip.models.families.ardm.masks import Batch  # noqa: E402
from catzip.models.families.ardm.qat import ImageTrainer, TextTrainer  # noqa: E402
from catzip.models.layers import grid  # noqa: E402
from catzip.models.layers.attention import ATTENDED, HEAD, POSITION, Attention, attention_table  # noqa: E402
from catzip.models.layers.convolution import Block  # noqa: E402
from catzip.models.layers.qat import modules as layers  # noqa: E402
from catzip.models.networks.masked_convnet import ConvNet, ConvNetConfig  # noqa: E402
from catzip.models.networks.masked_transformer import Transformer, TransformerConfig  # noqa: E402
from catzip.models.networks.qat import masked_convnet as convnet  # noqa: E402
from catzip.models.networks.qat import masked_transformer as transformer  # noqa: E402

NAMES = sorted(MASKED)
CHUNKS = MASKED["letter-chunks-deep"]
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def rounding_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layers.Rounding, "on", True)


def vary(net: torch.nn.Module, on_the_grid: bool = True) -> None:
    """Biases as if trained, on the grid if asked for, and a head that says something."""
    with torch.no_grad():
        for name, module in net.named_modules():
            if name == "head":
                module.weight *= 5
            if isinstance(module, layers.Linear):
                module.bias += 0.1 * torch.randn_like(module.bias)
                if on_the_grid:
                    module.bias.copy_(torch.floor(module.bias * 2.0**module.bits + 0.5) / 2.0**module.bits)
            if isinstance(module, transformer.Attention):
                module.position += 0.2 * torch.randn_like(module.position)


class Pair:
    """A random network in training and the exact one of its export, over random items."""

    def __init__(self, name: str, seed: int = 0, on_the_grid: bool = True) -> None:
        torch.manual_seed(seed)
        config, kind = MASKED[name], ImageTrainer if isinstance(MASKED[name], ConvNetConfig) else TextTrainer
        self.training = kind(asdict(config), torch.device("cpu"))
        vary(self.training.net, on_the_grid)
        self.arrays = layers.exported(self.training.net) | self.training.tables()
        exact = Transformer if isinstance(config, TransformerConfig) else ConvNet
        self.exact = exact(config, self.arrays, NumpyArrays())

    def bits(self, seed: int, items: int = 40) -> tuple[NumpyArray, NumpyArray]:
        """What each unknown digit costs in training and at inference, of every stage: [N], [N]."""
        random, net, ours, theirs = np.random.RandomState(seed), self.exact, [], []
        values = (random.rand(items, 1) * random.rand(items, net.size) * net.alphabet).astype(np.uint8)
        for stage in range(net.stages):
            known = np.zeros(net.size, bool)
            known[random.permutation(net.size)[: random.randint(net.size)]] = True
            wanted = np.flatnonzero(~known)
            told = np.tile(known, (items, 1))
            batch = Batch(values, np.full(items, stage), told, ~told)
            with torch.no_grad():
                ours.append(self._bits(batch, stage)[:, wanted].ravel())
            found = net.frequencies(values, known, stage, wanted)
            digits = values[:, wanted].astype(int) // net.base ** (net.stages - 1 - stage) % net.base
            theirs.append(24 - np.log2(np.take_along_axis(found, digits[..., None], -1)).ravel())
        return np.concatenate(ours), np.concatenate(theirs)

    def _bits(self, batch: Batch, stage: int) -> NumpyArray:
        """In training, whose network takes items of all stages at once: one of each other stage."""
        others = [s for s in range(self.exact.stages) if s != stage]
        whole = Batch(
            np.concatenate([batch.symbols, batch.symbols[: len(others)]]),
            np.concatenate([batch.stages, others]).astype(int),
            np.concatenate([batch.known, batch.known[: len(others)]]),
            np.concatenate([batch.wanted, batch.wanted[: len(others)]]),
        )
        bits: NumpyArray = self.training.bits(whole).double().numpy()
        return bits[: len(batch.symbols)]


@pytest.mark.parametrize("name", NAMES)
def test_bits_are_the_same(name: str):
    """With biases on the grid, but for what a code of a norm or an average does here and there."""
    ours, theirs = Pair(name).bits(seed=1)
    assert np.std(theirs) > 0.3  # they say something
    assert np.mean(np.abs(ours - theirs) < 0.02) > 0.9 and np.mean(np.abs(ours - theirs) < 0.15) > 0.99
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.001)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wanted_costs_the_same_alone(name: str):
    """Some dimensions of each item, none of one, all of another, in training."""
    trainer, random = Pair(name).training, np.random.RandomState(3)
    stages = trainer.stages
    items = random.randint(0, 20, (4 * stages, trainer.size)).astype(np.uint8)
    known = random.rand(*items.shape) < 0.4
    each, wanted = np.arange(4 * stages) % stages, random.rand(*items.shape) < 0.3
    wanted[0], wanted[1] = False, True
    with torch.no_grad():
        some = trainer.bits(Batch(items, each, known, wanted)).numpy()
        everything = trainer.bits(Batch(items, each, known, np.ones_like(wanted))).numpy()
    assert some.shape == items.shape and np.allclose(some[wanted], everything[wanted], atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_bits_agree_with_any_biases(name: str):
    """Which are rounded at export, and networks as narrow as these feel it."""
    ours, theirs = Pair(name, on_the_grid=False).bits(seed=2)
    assert np.mean(np.abs(ours - theirs) < 0.15) > 0.95
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_the_agreement_is_that_of_rounding(name: str):
    """Without it the two drift apart: what the tests above measure can fail."""
    pair = Pair(name)
    with patch.object(layers.Rounding, "on", False):
        ours, theirs = pair.bits(seed=1)
    assert np.mean(np.abs(ours - theirs) < 0.02) < 0.9


@pytest.mark.parametrize("name", NAMES)
def test_export_makes_what_the_exact_network_reads(name: str):
    ours, theirs = Pair(name).arrays, tiny_checkpoint(name).arrays
    schedules = {key for key in theirs if key.startswith(("order", "groups"))}
    assert ours.keys() == theirs.keys() - schedules
    for key, array in ours.items():
        assert (array.dtype, array.shape) == (theirs[key].dtype, theirs[key].shape), key


def steps(x: torch.Tensor, bits: int) -> NumpyArray:
    return x.detach().double().numpy() * 2**bits


def attention_of(seed: int) -> tuple[transformer.Attention, Attention]:
    torch.manual_seed(seed)
    layer = transformer.Attention(CHUNKS)
    vary(layer)
    arrays = {f"a.{key}": array for key, array in layers.exported(layer).items()}
    arrays["attention.exp"] = attention_table(CHUNKS.length)
    return layer, Attention(NumpyArrays(), arrays, "a", CHUNKS.length)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_attention_agrees(seed: int):
    """A whole layer: where a code of the norm lies next to a tie, a step or a few apart."""
    layer, exact = attention_of(seed)
    x = torch.floor(torch.randn(3, CHUNKS.length, CHUNKS.width) * 300)
    apart = np.abs(steps(layer(x / 2**grid.RES), grid.RES) - exact(x.numpy()))
    assert np.mean(apart) < 3 and apart.max() < 40


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, spread=st.sampled_from([5, 40, 127]))
def test_averages_are_the_same(seed: int, spread: int):
    """From the same queries, keys and values: but for ties, which floating point may round either way."""
    layer, exact = attention_of(seed)
    random = np.random.RandomState(seed % 2**32)
    q, k, v = (
        random.randint(-spread, spread + 1, (2, CHUNKS.heads, CHUNKS.length, HEAD)).astype(np.float32)
        for _ in range(3)
    )
    bias = torch.from_numpy(np.asarray(exact._bias) - np.float32(0.5)) / 2.0**POSITION
    with torch.no_grad():
        ours = layer._rounded(*(torch.from_numpy(x) / 2.0**grid.ACT for x in (q, k, v)), bias)
    ours = layers.fake_quantize(ours, ATTENDED, CODE_MAX).transpose(1, 2).reshape(2 * CHUNKS.length, -1)
    apart = np.abs(steps(ours, ATTENDED) - exact._attended(q, k, v, exact._bias))
    assert apart.max() <= 1 and np.mean(apart) < 0.02


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_block_agrees(seed: int):
    torch.manual_seed(seed)
    layer = convnet.Block(16, 12, 2)
    vary(layer)
    arrays = {f"a.{key}": array for key, array in layers.exported(layer).items()}
    x = torch.floor(torch.randn(2, 4, 5, 16) * 300)
    apart = np.abs(steps(layer(x / 2**grid.RES), grid.RES) - Block(NumpyArrays(), arrays, "a")(x.numpy()))
    # Of 256 to a unit. A code that rounds the other way moves all outputs around it by a few.
    assert np.mean(apart) < 2 and apart.max() < 40

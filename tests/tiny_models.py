"""Tiny random networks, one for each shape that the code treats differently, and the shipped models beside them."""

from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from catzip.compressor.coding.model import Model, Plan
from catzip.compressor.errors import CorruptError
from catzip.models import checkpoint
from catzip.models.backends.base import NumpyArray
from catzip.models.families.ardm.codec import ARDM
from catzip.models.families.autoregressive.codec import Autoregressive
from catzip.models.families.autoregressive.random import MIXING, RICH, MixedModel
from catzip.models.families.idf.codec import IDF
from catzip.models.families.idf.couplings import CouplingConfig
from catzip.models.families.idf.flow import FlowConfig
from catzip.models.families.idf.random import FlowModel
from catzip.models.families.idf.spelling import tiles_of_a_segment
from catzip.models.families.table import examples_of
from catzip.models.mixing.choice import AnyConfig
from catzip.models.networks.masked_convnet import ConvNetConfig
from catzip.models.networks.masked_transformer import TransformerConfig
from catzip.models.networks.recurrent import AutoregressiveConfig
from catzip.models.registry import Registry

LETTERS = AutoregressiveConfig(
    alphabet=27, width=16, state=20, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
)

CONFIGS: dict[str, AutoregressiveConfig] = {
    "letters": LETTERS,
    "letters-mlp": replace(LETTERS, depth=2, hidden=13, ngrams=((1, 8), (3, 7), (8, 5))),
    "bytes": AutoregressiveConfig(
        alphabet=256, width=24, state=32, depth=2, hidden=0, embed=8, ngrams=((1, 8), (4, 7))
    ),
    "bytes-mlp": AutoregressiveConfig(
        alphabet=256, width=17, state=9, depth=1, hidden=24, embed=3, ngrams=((1, 8),)
    ),
    "letters-refined": LETTERS,
    "bytes-refined": AutoregressiveConfig(
        alphabet=256, width=16, state=12, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
    ),
    "letters-plain": LETTERS,
    "bytes-plain": AutoregressiveConfig(
        alphabet=256, width=16, state=12, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
    ),
    "letters-unmatched": LETTERS,
    "letters-rich": LETTERS,
    "bytes-rich": AutoregressiveConfig(
        alphabet=256, width=16, state=12, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
    ),
    "bytes-whole-match": AutoregressiveConfig(
        alphabet=256,
        width=16,
        state=12,
        depth=1,
        hidden=0,
        embed=4,
        ngrams=((1, 8), (2, 6)),
        whole_match=True,
    ),
    # 3 * 701 inputs: more than float32 can be proved to add up exactly.
    "wide-inputs": replace(LETTERS, embed=701, ngrams=((1, 8), (2, 3))),
}
"""A new shape joins every law by one line here."""

MIXINGS: dict[str, AnyConfig] = {
    name: replace(MIXING, orders=(2, 3), phrases=True, by_age=True, refined=True)
    for name in CONFIGS
    if "refined" in name
}
MIXINGS |= {name: RICH for name in CONFIGS if "rich" in name}
"""The mixtures of those above that have one of their own."""

OPTIONS = {
    "letters-plain": MixedModel(LETTERS, None),
    "bytes-plain": MixedModel(CONFIGS["bytes-plain"], None, match=False),
    "letters-unmatched": MixedModel(LETTERS, MIXING, match=False),
}
"""Those above that are without a mixture, or without a match model."""

LETTER_CHUNKS = TransformerConfig(
    alphabet=27,
    length=12,
    width=16,
    depth=1,
    heads=1,
    hidden=12,
    embed=3,
    times=5,
    windows=((5, (0,)), (6, (-1, 1))),
)
IMAGES = ConvNetConfig(
    shape=(4, 4, 3),
    base=256,
    stages=1,
    width=16,
    depth=1,
    hidden=12,
    embed=2,
    times=5,
    output="logistics",
    components=2,
    reaches=(1,),
)

MASKED: dict[str, TransformerConfig | ConvNetConfig] = {
    "letter-chunks": LETTER_CHUNKS,
    "letter-chunks-deep": replace(LETTER_CHUNKS, length=9, depth=2, heads=2, windows=((5, (0,)), (4, (-1,)))),
    "letter-chunks-timeless": replace(LETTER_CHUNKS, times=1, windows=((5, (0,)), (6, (-3, -1, 2)))),
    "images": IMAGES,
    "images-direct": replace(IMAGES, shape=(2, 4, 1), output="direct", depth=2),
    "images-upscale": replace(IMAGES, base=4, stages=4, reaches=(1, 2)),
    # Larger than what one of its pixels depends on.
    "images-tall": replace(IMAGES, shape=(20, 6, 1), width=6, depth=2, hidden=5, reaches=(1, 3)),
    "images-fine": replace(IMAGES, fine=("inputs", "head")),
    "images-upscale-fine": replace(IMAGES, base=4, stages=4, fine=("head",)),
    "images-upscale-direct": replace(IMAGES, shape=(4, 2, 3), base=4, stages=4, output="direct"),
}
"""As CONFIGS, of order-agnostic models."""

FLOW = FlowConfig(channels=3, levels=3, nets=2, width=12, hidden=10, depth=1, components=2)
COUPLED = CouplingConfig(count=2, depth=2, growth=6)
PLAIN = CouplingConfig(count=3, depth=1, growth=5, rezero=False, inverse_permutation=False, improved=False)

FLOWS: dict[str, FlowModel] = {
    "flow-array": FlowModel(replace(FLOW, couplings=COUPLED), shape=(6, 5, 3)),
    "flow-grey-array": FlowModel(replace(FLOW, channels=1, levels=4, nets=4, couplings=PLAIN), shape=(7, 4)),
    "flow": FlowModel(replace(FLOW, depth=2), side=8),
    "flow-coupled": FlowModel(replace(FLOW, nets=1, couplings=COUPLED), side=9),
    "flow-fine": FlowModel(replace(FLOW, fine=("heads",)), side=8),
    "flow-plain": FlowModel(replace(FLOW, couplings=PLAIN), side=7),
    "flow-grey": FlowModel(replace(FLOW, channels=1, levels=1, nets=1, components=3), side=8),
}
"""As CONFIGS, of integer discrete flows."""

TINY: dict[str, dict[str, Any]] = {"autoregressive": CONFIGS, "ardm": MASKED, "idf": FLOWS}
"""All of them, by family."""

SHIPPED = tuple(Registry().names())

_FOLDER = TemporaryDirectory(prefix="catzip-tiny-")


@cache
def tiny_checkpoint(name: str) -> checkpoint.Checkpoint:
    family, configs = next((family, configs) for family, configs in TINY.items() if name in configs)
    config = MixedModel(CONFIGS[name], MIXINGS[name]) if name in MIXINGS else OPTIONS.get(name, configs[name])
    return examples_of(family).random_checkpoint(config, name)


@cache
def tiny_path(name: str) -> Path:
    """The network of this name as a weight file, which lasts as long as the tests do."""
    path = Path(_FOLDER.name) / f"{name}.safetensors"
    checkpoint.save(path, tiny_checkpoint(name))
    return path


def shipped(family: str) -> list[str]:
    """The shipped models of this family."""
    return [name for name in SHIPPED if Registry().info(name)["family"] == family]


@cache
def model(name: str, device: str = "cpu", threads: int = 1) -> Autoregressive:
    """The tiny network of this name in CONFIGS, or the shipped autoregressive model of this name."""
    found = _loaded(name, device, threads)
    assert isinstance(found, Autoregressive)
    return found


@cache
def masked(name: str, device: str = "cpu", threads: int = 1) -> ARDM:
    """The tiny network of this name in MASKED, or the shipped order-agnostic model of this name."""
    found = _loaded(name, device, threads)
    assert isinstance(found, ARDM)
    return found


@cache
def flow(name: str, device: str = "cpu", threads: int = 1) -> IDF:
    """The tiny flow of this name in FLOWS, or the shipped one of this name."""
    found = _loaded(name, device, threads)
    assert isinstance(found, IDF)
    return found


def _loaded(name: str, device: str, threads: int) -> Model:
    return Registry(device, threads).by_name(name if name in SHIPPED else str(tiny_path(name)))


def mixed_text(alphabet: int, count: int, seed: int = 0) -> NumpyArray:
    """Symbols uint8 [count]: words that come again and noise between them, so that matches start and break."""
    random = np.random.RandomState(seed)
    words = [random.randint(0, alphabet, random.randint(1, 30)) for _ in range(12)]
    parts = [words[random.randint(len(words))] for _ in range(count // 8 + 1)]
    for i in range(0, len(parts), 5):
        parts[i] = random.randint(0, alphabet, 7)
    text = np.concatenate(parts).astype(np.uint8)
    return np.resize(text, count)


def plain_plan(coder: IDF, count: int, plan: Plan) -> Plan:
    """The plan that stands for this one: with the least side that cuts alike, and as many tiles as encoders write."""
    width, depth, side, each, *extras = plan
    height, own = count // (width * depth), coder.plan(1)[2]
    for smaller in (own, *range(1, side + 1)):
        if all(-(-length // smaller) == -(-length // side) for length in (height, width)):
            tiles = [each, tiles_of_a_segment(count, width, depth, smaller)]
            plans = [(width, depth, smaller, number, *extras) for number in tiles]
            return next(found for found in plans if _is_possible(coder, count, found))
    raise AssertionError("the side itself cuts alike")


def _is_possible(coder: IDF, count: int, plan: Plan) -> bool:
    with suppress(CorruptError):
        return bool(coder.segment_sizes(count, plan))
    return False

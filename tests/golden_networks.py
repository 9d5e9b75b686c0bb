"""The tiny networks of the neural goldens, each with some idea of its content, or nothing would be coded with it."""

from pathlib import Path
from typing import Any

import numpy as np

from catzip.compressor.media import MEDIA
from catzip.models import checkpoint
from catzip.models.families.autoregressive.random import MixedModel
from catzip.models.families.idf.couplings import CouplingConfig
from catzip.models.families.idf.flow import FlowConfig
from catzip.models.families.idf.random import FlowModel
from catzip.models.families.table import examples_of
from catzip.models.layers import grid, logistics
from catzip.models.mixing.config import MixingConfig
from catzip.models.networks.masked_convnet import ConvNetConfig
from catzip.models.networks.masked_transformer import TransformerConfig
from catzip.models.networks.recurrent import AutoregressiveConfig

FOLDER = Path(__file__).parent / "golden" / "neural"
PROSE = (FOLDER / "prose.txt").read_bytes()

NETWORKS: dict[str, Any] = {
    "tiny-bytes": AutoregressiveConfig(
        alphabet=256, width=16, state=20, depth=2, hidden=12, embed=2, ngrams=((1, 8), (3, 6))
    ),
    "tiny-text27": AutoregressiveConfig(
        alphabet=27, width=18, state=13, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 5))
    ),
    "tiny-refined": MixedModel(
        AutoregressiveConfig(
            alphabet=256, width=16, state=12, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
        ),
        MixingConfig(
            orders=(2, 3),
            bits=14,
            limit=60,
            rate=28000,
            start=12000,
            phrases=True,
            by_age=True,
            refined=True,
        ),
    ),
    "tiny-plain": MixedModel(
        AutoregressiveConfig(
            alphabet=27, width=16, state=12, depth=1, hidden=8, embed=4, ngrams=((1, 8), (2, 6))
        ),
        None,
        match=False,
    ),
    "tiny-chunks": TransformerConfig(
        alphabet=27,
        length=40,
        width=16,
        depth=2,
        heads=1,
        hidden=12,
        embed=3,
        times=6,
        windows=((5, (0,)), (5, (1,)), (6, (-2, -1))),
    ),
    "tiny-images": ConvNetConfig(
        shape=(8, 6, 3),
        base=4,
        stages=4,
        width=16,
        depth=2,
        hidden=12,
        embed=3,
        times=6,
        output="logistics",
        components=2,
        reaches=(1, 2),
    ),
    "tiny-flow": FlowModel(
        FlowConfig(
            channels=3,
            levels=3,
            nets=2,
            width=16,
            hidden=12,
            depth=1,
            components=2,
            couplings=CouplingConfig(count=2, depth=1, growth=6, inverse_permutation=False, improved=False),
        ),
        shape=(8, 6, 3),
    ),
    "tiny-photo": FlowModel(
        FlowConfig(
            channels=3,
            levels=4,
            nets=2,
            width=16,
            hidden=12,
            depth=1,
            components=2,
            couplings=CouplingConfig(count=1, depth=2, growth=6),
        ),
        side=20,
    ),
}


_FAMILIES = {
    AutoregressiveConfig: "autoregressive",
    MixedModel: "autoregressive",
    TransformerConfig: "ardm",
    ConvNetConfig: "ardm",
    FlowModel: "idf",
}

_QUIETER = {
    "tiny-bytes": 2,
    "tiny-text27": 2,
    "tiny-refined": 2,
    "tiny-plain": 2,
    "tiny-chunks": 4,
    "tiny-images": 3,
}
"""By how many powers of two the random part of a head is less than drawn."""


def weights(name: str) -> checkpoint.Checkpoint:
    """A random network that has some idea of its content, or nothing would be coded with it."""
    found = examples_of(_FAMILIES[type(NETWORKS[name])]).random_checkpoint(NETWORKS[name], name)
    arrays = dict(found.arrays)
    if isinstance(NETWORKS[name], FlowModel):
        return found._replace(arrays=arrays | _flow_heads(NETWORKS[name].flow, arrays))
    arrays["head.exponent"] = found.arrays["head.exponent"] + np.int8(_QUIETER[name])
    if found.config["medium"] == "array":
        arrays |= _image_head(NETWORKS[name], arrays)
    else:
        symbols, _ = MEDIA[found.config["medium"]].split(PROSE)
        counts = np.bincount(symbols, minlength=found.config["model"]["alphabet"]) + 0.2
        arrays["head.bias"] = np.floor(np.log(counts) * 2**grid.LOGIT + 0.5).astype(np.int32)
    return found._replace(arrays=arrays)


def _image_head(c: ConvNetConfig, arrays: checkpoint.Arrays) -> checkpoint.Arrays:
    """Means are the average of the smallest window, which values are within 4 levels of, or 25."""
    weight, exponent, bias = (arrays[f"head.{part}"].copy() for part in ("weight", "exponent", "bias"))
    parts = (c.dimensions, 3, c.components)  # logits, means, ln(scale)
    means, own = weight.reshape(*parts, -1)[:, 1], np.arange(c.dimensions)
    means[:] = 0
    means[own, :, c.width + c.dimensions + own] = (
        1 << grid.ACT
    )  # the average less the guess, behind the guess
    exponent.reshape(parts)[:, 1] = grid.ACT
    bias.reshape(parts)[:] = 0
    bias.reshape(parts)[:, 2] = np.round(np.log([4, 25]) * 2**logistics.MEAN)
    return {"head.weight": weight, "head.exponent": exponent, "head.bias": bias}


def _flow_heads(c: FlowConfig, arrays: checkpoint.Arrays) -> checkpoint.Arrays:
    """Values are about their neighbours, within 4 levels of them or 25; translations are of a few levels."""
    quiet: checkpoint.Arrays = {}
    for name, array in arrays.items():
        if ".heads." in name and name.endswith("bias"):
            quiet[name] = np.zeros_like(array)
            quiet[name].reshape(3, c.components)[2] = np.round(np.log([4, 25]) * 2**logistics.MEAN)
        if name.endswith(".exponent") and (".heads." in name or name.endswith("out.exponent")):
            quiet[name] = array + np.int8(5)
        if ".couplings." in name and name.endswith("out.bias"):
            quiet[name] = array // 16
    quiet["base"] = np.zeros_like(arrays["base"])
    quiet["base"].reshape(-1, 3, c.components)[:, 2] = np.round(np.log([20, 60]) * 2**logistics.MEAN)
    return quiet

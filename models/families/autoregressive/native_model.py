"""An autoregressive model as the compiled core wants it: its weights in blocks, its tables by their addresses."""

from __future__ import annotations

import numpy as np

from ...backends.base import Arrays, NumpyArray
from ...backends.native.layers import PackedLinear, padded
from ...backends.native.library import core
from ...backends.native.structures import (
    CONTEXTS,
    DEPTH,
    NGRAMS,
    ROWS,
    Core,
    Mlp,
    Model,
    Ngram,
    Recurrent,
    Work,
    address,
)
from ...backends.numpy import NumpyArrays
from ...layers.grid import ACT, FORGET, FORGET_MAX, GATE, LOGIT, RES, STATE, Tensors
from ...mixing.choice import AnyConfig
from ...mixing.config import STRETCH_MAX
from ...mixing.contexts import MATCH_LENGTHS
from ...mixing.counters import COUNT
from ...mixing.decisions import PROBABILITY
from ...mixing.mixing import count_levels
from ...mixing.rich import config as rich
from ...mixing.rich.config import RichConfig
from ...mixing.words import letters
from ...networks.recurrent import AutoregressiveConfig

_CACHE_LINE = 64


def compiled(
    config: AutoregressiveConfig, mixing: AnyConfig, tensors: Tensors, arrays: Arrays
) -> NativeModel | None:
    """The model for the core, or None where that is not to run, has no room for it, or does not know such tables.

    ``tensors`` are those that a network and a mixture have been made of: their weights are in bounds.
    """
    variant = core() if type(arrays) is NumpyArrays else None
    if variant is None or not _has_room(config, mixing) or not _knows(config, mixing, tensors):
        return None
    model = NativeModel(variant, config, mixing, tensors)
    return model if model.is_bounded else None


def _has_room(config: AutoregressiveConfig, mixing: AnyConfig) -> bool:
    orders = [order for order, _ in config.ngrams]
    return (
        2 <= config.alphabet <= 256
        and config.depth <= DEPTH
        and len(orders) <= NGRAMS
        and max(orders, default=1) <= 8
        and (isinstance(mixing, RichConfig) or mixing.contexts <= CONTEXTS)
    )


def _knows(config: AutoregressiveConfig, mixing: AnyConfig, tensors: Tensors) -> bool:
    """Whether tables have the shapes and ranges by which the core stays in its memory, and its integers in range."""
    rows = {f"ngrams.{i}.table": 1 << bits for i, (_, bits) in enumerate(config.ngrams)}
    rows["match.table"] = config.alphabet * MATCH_LENGTHS
    ranges = {
        "sigmoid": ((2 * FORGET_MAX + 1,), 0, 1 << GATE),
        "exp": (tensors["exp"].shape, 0, 1 << 20),
        "stretch": ((1 << PROBABILITY,), -(1 << 15), (1 << 15) - 1),
        "squash": ((2 * STRETCH_MAX + 1,), 1, (1 << PROBABILITY) - 1),
    } | _mixture_ranges(mixing)
    return (
        all(_within(tensors[name], (count, config.embed), -128, 127) for name, count in rows.items())
        and all(_within(tensors[name], *bounds) for name, bounds in ranges.items())
        and tensors["exp"].ndim == 1
        and tensors["exp"][0] > 0
        and all(1 <= bits <= 32 for _, bits in config.ngrams)
        and all(order > 1 or 1 << bits >= config.alphabet for order, bits in config.ngrams)
        and _fits_together(config, tensors)
    )


def _mixture_ranges(mixing: AnyConfig) -> dict[str, tuple[tuple[int, ...], int, int]]:
    if not isinstance(mixing, RichConfig):
        return {"adapt": ((mixing.limit + 1,), 0, (1 << 16) - 1)}
    profiles, any32 = rich.PROFILES, (-(1 << 31), (1 << 31) - 1)
    return {
        "adapt": ((1 << COUNT,), 0, (1 << 16) - 1),
        "histories": ((profiles, rich.CONTEXTS, rich.HISTORIES), *any32),
        "trust": ((profiles, len(rich.MATCHES), rich.TRUSTED), *any32),
        "weights": ((profiles, rich.SELECTORS, rich.INPUTS), -(1 << 24), 1 << 24),
    }


def _within(table: NumpyArray, shape: tuple[int, ...], low: int, high: int) -> bool:
    whole = table.dtype.kind in "iu" and table.shape == shape and table.size > 0
    return bool(whole and table.min() >= low and table.max() <= high)


def _fits_together(config: AutoregressiveConfig, tensors: Tensors) -> bool:
    """Whether each layer takes what the one before it gives."""
    shapes = {"inputs": (config.width, config.embed * (len(config.ngrams) + 1))}
    shapes["head"] = (config.alphabet, config.width)
    for i in range(config.depth):
        shapes |= {f"recurrent.{i}.{part}": (config.state, config.width) for part in _GATES}
        shapes[f"recurrent.{i}.out"] = (config.width, config.state)
        if config.hidden:
            shapes |= {f"mlps.{i}.{part}": (config.hidden, config.width) for part in ("gate", "up")}
            shapes[f"mlps.{i}.out"] = (config.width, config.hidden)
    return all(
        tensors[f"{name}.weight"].shape == shape
        and tensors[f"{name}.bias"].shape == tensors[f"{name}.exponent"].shape == shape[:1]
        for name, shape in shapes.items()
    )


_GATES = {"forget": FORGET, "candidate": STATE, "gate": ACT}
"""What a recurrence makes of its codes, and with how many bits behind the point."""


class NativeModel:
    """A variant of the core and what it reads of a model: the structure, and the arrays that this points at."""

    def __init__(
        self, variant: Core, config: AutoregressiveConfig, mixing: AnyConfig, tensors: Tensors
    ) -> None:
        self.core, self.config, self.mixing, self.tensors = variant, config, mixing, tensors
        self.decisions = (config.alphabet - 1).bit_length()
        self.state, self.is_bounded = padded(config.state), True
        self.structure, self._kept = Model(), list[NumpyArray | PackedLinear]()
        self._fill_sizes()
        self._fill_network()
        self._fill_mixture()

    def work(self) -> tuple[Work, list[NumpyArray]]:
        """Room for a thread that runs the network, and what keeps it."""
        model, stride = self.structure, int(self.structure.stride)
        outputs = [model.inputs.outputs, model.head.outputs]
        for i in range(self.config.depth):
            outputs += [model.recurrent[i].forget.outputs, model.mlp[i].inputs.outputs]
        sums = np.zeros((5, ROWS * max(outputs)), np.int32)  # the smallest is more than a row of PMFs has
        codes = np.zeros(ROWS * stride + _CACHE_LINE, np.uint8)
        return Work(address(codes), *map(address, sums)), [sums, codes]

    def _fill_sizes(self) -> None:
        c, s = self.config, self.structure
        s.alphabet, s.decisions, s.width, s.state, s.depth = (
            c.alphabet,
            self.decisions,
            c.width,
            c.state,
            c.depth,
        )
        s.hidden, s.embed, s.ngrams = c.hidden, c.embed, len(c.ngrams)
        codes = [c.embed * (len(c.ngrams) + 1), c.width, c.state, c.hidden]
        s.stride = padded(max(codes), _CACHE_LINE)

    def _fill_network(self) -> None:
        c, s, tensors = self.config, self.structure, self.tensors
        for i, (order, bits) in enumerate(c.ngrams):
            s.ngram[i] = Ngram(order, bits, self._keep(tensors[f"ngrams.{i}.table"], np.int8))
        s.match = self._keep(tensors["match.table"], np.int8)
        s.inputs, s.head = self._linear(["inputs"], RES), self._linear(["head"], LOGIT)
        for i in range(c.depth):
            name = f"recurrent.{i}"
            gates = (self._linear([f"{name}.{part}"], bits) for part, bits in _GATES.items())
            s.recurrent[i] = Recurrent(*gates, self._linear([f"{name}.out"], RES))
            if c.hidden:
                name = f"mlps.{i}"
                both = self._linear([f"{name}.gate", f"{name}.up"], ACT)
                s.mlp[i] = Mlp(both, self._linear([f"{name}.out"], RES))
        s.renew = self._keep((1 << GATE) - tensors["sigmoid"].astype(np.int32), np.int32)
        s.exp, s.exp_last = self._keep(tensors["exp"], np.int32), len(tensors["exp"]) - 1

    def _fill_mixture(self) -> None:
        s, m, tensors = self.structure, self.mixing, self.tensors
        s.rich = isinstance(m, RichConfig)
        if not isinstance(m, RichConfig):
            s.orders, s.contexts = len(m.orders), m.contexts
            s.phrases, s.by_age, s.refined = m.phrases, m.by_age, m.refined
            s.order[: len(m.orders)] = m.orders
        s.stretch = self._keep(tensors["stretch"], np.int16)
        s.squash = self._keep(tensors["squash"], np.uint16)
        s.adapt, s.oldest = self._keep(tensors["adapt"], np.int32), self.mixing.limit
        s.level = self._keep(count_levels(), np.uint8)
        s.letter = self._keep(letters(self.config.alphabet), np.uint64)

    def _linear(self, names: list[str], bits: int) -> object:
        packed = PackedLinear.load(self.core, self.tensors, names, bits, ACT)
        self._kept.append(packed)
        self.is_bounded &= packed.is_bounded
        return packed.structure

    def _keep(self, array: NumpyArray, dtype: type[np.generic]) -> int:
        """The address of the array, as this type, which lasts as long as this object."""
        kept = np.ascontiguousarray(array, dtype)
        self._kept.append(kept)
        return address(kept)

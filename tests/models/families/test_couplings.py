"""Couplings are bijections of the integers modulo 256, whatever their network says, and are their formula."""

from collections.abc import Sequence

import numpy as np
import pytest
import reference_layers as reference
import reference_masked
from backends import BACKENDS, OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import FLOWS, tiny_checkpoint

from catzip.models.backends.base import NumpyArray
from catzip.models.families.idf.couplings import Coupling, CouplingConfig
from catzip.models.families.idf.squeeze import GREY, grid, sizes

SEEDS = st.integers(0, 1 << 31)
COUPLED = [name for name in FLOWS if FLOWS[name].flow.couplings.count]
FORMS = [
    CouplingConfig(2, 2, 6, rezero, inverse, improved)
    for rezero in (True, False)
    for inverse in (True, False)
    for improved in (True, False)
]


def coupling(config: CouplingConfig, device: str = "cpu") -> Coupling:
    """A coupling of three channels; the tensors of a translation that starts at zero are still there."""
    tensors = dict(tiny_checkpoint("flow-coupled").arrays)
    if config.rezero:
        for part in ("weight", "bias"):
            tensors[f"levels.0.couplings.0.out.{part}"] = tensors[f"levels.0.couplings.0.out.{part}"] * 0
    return Coupling(config, tensors, backend(device), "levels.0.couplings.0")


def phases(seed: int, height: int, width: int, images: int = 2, kind: str = "noise") -> list[NumpyArray]:
    """Quarters of three channels, the last two empty for grey ones: 12 planes [images, h, w]."""
    random, grey = np.random.RandomState(seed), kind == "grey"
    found = []
    for size in sizes((height, width)):
        for channel in range(3):
            shape = (0, 0) if grey and channel else size
            values = random.randint(0, 256, (images, *shape))
            found.append((values * 0 + 200 if kind == "constant" else values).astype(np.float32))
    return found


def same(left: Sequence[NumpyArray], right: Sequence[NumpyArray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("config", FORMS, ids=str)
@settings(max_examples=12, deadline=None)
@given(
    seed=SEEDS,
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    kind=st.sampled_from(["noise", "constant", "grey"]),
)
def test_either_undoes_the_other(config: CouplingConfig, seed: int, height: int, width: int, kind: str):
    layer, planes = coupling(config), phases(seed, height, width, kind=kind)
    there = layer.forward(planes)
    assert all(plane.size == 0 or (plane.min() >= 0 and plane.max() <= 255) for plane in there)
    assert all(np.array_equal(plane, np.floor(plane)) for plane in there)
    assert [plane.shape[1:] for plane in there] == layer.places([plane.shape[1:] for plane in planes])
    assert same(layer.inverse(there), planes)
    back = layer.inverse(layer.places(planes))
    assert same(layer.forward(back), layer.places(planes))


@pytest.mark.parametrize("inverse", [True, False])
def test_what_starts_at_zero_moves_nothing(inverse: bool):
    layer, planes = coupling(CouplingConfig(2, 2, 6, inverse_permutation=inverse)), phases(0, 6, 5)
    assert same(layer.forward(planes), layer.places(planes))


@pytest.mark.parametrize("inverse", [True, False])
def test_a_quarter_moves_by_what_the_others_say(inverse: bool):
    layer = coupling(CouplingConfig(2, 2, 6, rezero=False, inverse_permutation=inverse))
    order = tiny_checkpoint("flow-coupled").arrays["levels.0.couplings.0.order"].tolist()
    planes = phases(3, 8, 8)
    moved = [not same([z], [x]) for z, x in zip(layer.forward(planes), layer.places(planes), strict=True)]
    assert moved == ([i in order[9:] for i in range(12)] if inverse else [i >= 9 for i in range(12)])
    shifts = [z - x for z, x in zip(layer.forward(planes), layer.places(planes), strict=True)]
    for i in order[9:]:
        planes[i] = planes[i][::-1].copy()
    again = [z - x for z, x in zip(layer.forward(planes), layer.places(planes), strict=True)]
    assert same([each % 256 for each in shifts], [each % 256 for each in again])


def translated(name: str, planes: list[NumpyArray], level: str) -> list[list[list[int]]]:
    """t [h][w][C] for one image, in Python's integers: what `Coupling.forward` adds to the last planes."""
    tensors, config = tiny_checkpoint(name).arrays, FLOWS[name].flow.couplings
    order, size = tensors[f"{level}.order"].tolist(), grid(planes)
    kept = [planes[i][0] for i in order[: len(order) // 4 * 3]]

    def code(plane: NumpyArray, y: int, x: int) -> int:
        if not plane.size:
            return 0
        value = int(plane[min(y, len(plane) - 1), min(x, plane.shape[1] - 1)])
        return max(-127, min(127, value - GREY))

    codes = [[[code(plane, y, x) for plane in kept] for x in range(size[1])] for y in range(size[0])]
    for i in range(config.depth):
        added = [[[] for _ in row] for row in codes]
        for y, x in np.ndindex(*size):
            around = reference_masked.patch(codes, y, x)
            out = [
                reference.clip(v, 2**15 - 1)
                for v in reference.linear(tensors, f"{level}.layers.{i}", 8, around)
            ]
            if config.improved:
                added[y][x] = [reference.to_code(reference.swish(v), 7) for v in reference.rms_norm(out)]
            else:
                added[y][x] = [max(0, reference.to_code(v, 3)) for v in out]
        codes = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(codes, added, strict=True)]
    return [
        [[reference.clip(v, 255) for v in reference.linear(tensors, f"{level}.out", 4, each)] for each in row]
        for row in codes
    ]


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("name", COUPLED)
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS, height=st.integers(1, 5), width=st.integers(1, 5))
def test_it_is_its_formula(name: str, device: str, seed: int, height: int, width: int):
    flow, level = FLOWS[name].flow, "levels.0.couplings.1"
    planes = [plane for i, plane in enumerate(phases(seed, height, width, 1)) if i % 3 < flow.channels]
    tensors = tiny_checkpoint(name).arrays
    layer = Coupling(flow.couplings, tensors, backend(device), level)
    order, shifts = tensors[f"{level}.order"].tolist(), np.array(translated(name, planes, level))
    expected = list(planes)
    for channel, i in enumerate(order[-flow.channels :]):
        _, rows, columns = planes[i].shape
        expected[i] = (planes[i] + shifts[:rows, :columns, channel]) % 256
    assert same(layer.forward(planes), layer.places(expected))


@pytest.mark.parametrize("device", [each for each in OTHERS if each != "torch-int8"])
@pytest.mark.parametrize("config", [each for each in FORMS if not each.rezero], ids=str)
def test_every_backend_moves_by_the_same(config: CouplingConfig, device: str):
    planes = phases(4, 17, 12)
    assert same(coupling(config, device).forward(planes), coupling(config).forward(planes))

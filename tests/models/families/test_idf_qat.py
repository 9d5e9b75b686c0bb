"""The flow in training and the exact one agree: same weights, same planes, same mixtures, same bits."""

from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_models import COUPLED, FLOW, PLAIN, tiny_checkpoint  # noqa: E402
from tiny_models import FLOWS as TINY  # noqa: E402

from catzip.models.backends.base import NumpyArray  # noqa: E402
from catzip.models.backends.numpy import NumpyArrays  # noqa: E402
from catzip.models.families.idf import qat as training  # noqa: E402
from catzip.models.families.idf.flow import BASE, DIGIT, FlowConfig  # noqa: E402
from catzip.models.families.idf.flow import Flow as ExactFlow  # noqa: E402
from catzip.models.families.idf.qat import Flow  # noqa: E402
from catzip.models.families.idf.training import Batch, IdfSchedule, IdfTask  # noqa: E402
from catzip.models.layers.logistics import MEAN, Logistics  # noqa: E402
from catzip.models.layers.qat.modules import Linear, Rounding  # noqa: E402

FLOWS: dict[str, FlowConfig] = {
    "plain": replace(FLOW, depth=2),
    "grey": replace(FLOW, channels=1, components=3),
    "coupled": replace(FLOW, nets=3, couplings=COUPLED),
    "permuted": replace(FLOW, couplings=PLAIN),
    "fine": replace(FLOW, fine=("inputs", "heads")),
}
SCHEDULE = IdfSchedule(minutes=1, lanes=4, learning_rate=1e-3)
SHAPES = [(3, 16, 16), (2, 13, 7), (2, 1, 9), (2, 6, 1), (3, 1, 1)]

Coded = tuple[NumpyArray, NumpyArray, NumpyArray]
"""A plane that is coded: its values [N], y [N, 3 components] and guesses [N]."""


@pytest.fixture(autouse=True)
def rounding_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Rounding, "on", True)


def vary(net: torch.nn.Module) -> None:
    """As if trained: heads and translations that say something, biases on the grid."""
    with torch.no_grad():
        for name, module in net.named_modules():
            if not isinstance(module, Linear):
                continue
            module.weight *= 4 if ".heads." in name else 1
            module.bias += 0.1 * torch.randn_like(module.bias)
            module.bias.copy_(torch.floor(module.bias * 2.0**module.bits + 0.5) / 2.0**module.bits)
            if isinstance(module, training.Translation):
                module.scale.fill_(1.0)  # a power of two, or a bias would leave the grid
                module.weight *= 8
        net.base += torch.randn_like(net.base)


def pictures(seed: int, count: int, height: int, width: int, channels: int) -> NumpyArray:
    """Smooth, with noise that channels share, and a few jumps: uint8 [count, H, W, C]."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[:height, :width][..., None] / 5
    slope = random.normal(0, 1, (2, count, 1, 1, 1))
    smooth = 128 + 50 * np.sin(slope[0] * y + slope[1] * x + random.rand(count, 1, 1, channels))
    noise = random.normal(0, 4, (count, height, width, 1)) + random.normal(
        0, 2, (*smooth.shape[:3], channels)
    )
    jumps = 120 * (random.rand(*smooth.shape) < 0.02)
    return (smooth + noise + jumps).clip(0, 255).astype(np.uint8)


class Pair:
    """A random flow in training and the exact one of its export."""

    def __init__(self, name: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        config = FLOWS[name]
        model = vars(config) | {"couplings": vars(config.couplings)}
        self.task = IdfTask(model, {}, SCHEDULE, torch.device("cpu"))
        vary(self.task.net)
        self.exact = ExactFlow(config, self.task.export([]), NumpyArrays())

    def ours(self, images: NumpyArray) -> list[Coded]:
        """In training, in decode order: the last planes, then the levels from coarse to fine."""
        levels: list[list[Coded]] = []
        factored, bits = Flow._factored, Flow._bits

        def level(net: Flow, *arguments: Any) -> Any:
            levels.append([])
            cost = factored(net, *arguments)
            if len(levels) == net.config.levels:
                levels.append([])  # of what is left
            return cost

        def coded(net: Flow, plane: Any, y: Any, guess: Any) -> Any:
            if plane.numel():
                rows = torch.floor(y * 2.0**MEAN + 0.5).reshape(plane.numel(), -1)
                levels[-1].append((plane.numpy().ravel(), rows.numpy(), guess.numpy().ravel()))
            return bits(net, plane, y, guess)

        with patch.multiple(Flow, _factored=level, _bits=coded), torch.no_grad():
            self.task._costs(images)
        return [each for found in reversed(levels) for each in found]

    def theirs(self, images: NumpyArray) -> tuple[list[Coded], float]:
        """At inference, in decode order, and the bits that it takes."""
        found, planes, bits = [], self.exact.forward(images), 0.0
        whole = Logistics.__call__

        def described(net: Logistics, y: Any, guess: NumpyArray, edges: NumpyArray) -> NumpyArray:
            if edges[0, -1] - edges[0, 0] == 256:
                found.append((y.copy(), guess.copy()))
            return whole(net, y, guess, edges)

        with patch.object(Logistics, "__call__", described):
            count, height, width, channels = images.shape
            steps = self.exact.steps(count, (height, width), channels, np.empty_like(images))
            frequencies = next(steps)
            for plane in planes:
                for digits in (plane.ravel() >> DIGIT, plane.ravel() % BASE):
                    bits += float((24 - np.log2(frequencies[np.arange(len(digits)), digits])).sum())
                    with suppress(StopIteration):
                        frequencies = steps.send(digits.astype(np.int32))
        return [(plane.ravel(), *each) for plane, each in zip(planes, found, strict=True)], bits


def cases() -> list[Any]:
    """Every flow with images of every size, also grey ones in a flow of three channels."""
    return [
        pytest.param(name, shape, channels, id=f"{name}-{'x'.join(map(str, (*shape[1:], channels)))}")
        for name in FLOWS
        for shape in SHAPES
        for channels in sorted({1, FLOWS[name].channels})
    ]


@pytest.mark.parametrize("name, shape, channels", cases())
def test_planes_and_mixtures_are_the_same(name: str, shape: tuple[int, ...], channels: int):
    """Every factor and coupling gives the same integers.

    But for ties of a norm, which floating point may round either way, and what they move after them.
    """
    pair, images = Pair(name), pictures(1, *shape, channels)
    ours, (theirs, _) = pair.ours(images), pair.theirs(images)
    assert len(ours) == len(theirs)
    same = []
    for left, right in zip(ours, theirs, strict=True):
        assert [each.shape for each in left] == [each.shape for each in right]
        same += [np.mean(a == b) for a, b in zip(left, right, strict=True)]
        assert np.mean(np.abs(left[1] - right[1])) < 3  # of 256 to a unit
    assert np.mean(same) > 0.95
    if not FLOWS[name].couplings.count:
        assert all(
            np.array_equal(a[0], b[0]) and np.array_equal(a[2], b[2])
            for a, b in zip(ours, theirs, strict=True)
        )


@pytest.mark.parametrize("name", FLOWS)
def test_what_describes_them_says_something(name: str):
    """Means and scales are not the same everywhere, translations move many values: equality would mean little."""
    pair, images = Pair(name), pictures(2, 2, 16, 16, FLOWS[name].channels)
    coded, _ = pair.theirs(images)
    _, y, guess = coded[-1]
    assert (y.std(0) > 10).all() and np.abs(y).max() > 300 and guess.std() > 20
    if FLOWS[name].couplings.count:
        still = Pair(name)
        with torch.no_grad():
            for module in still.task.net.modules():
                if isinstance(module, training.Translation):
                    module.scale.zero_()
        unmoved, moved = still.ours(images), pair.ours(images)
        assert np.mean(np.concatenate([a[0] != b[0] for a, b in zip(unmoved, moved, strict=True)])) > 0.1


@pytest.mark.parametrize("name", FLOWS)
def test_without_rounding_they_drift_apart(name: str):
    """So that the tests above can fail."""
    pair, images = Pair(name), pictures(1, 3, 16, 16, FLOWS[name].channels)
    theirs, _ = pair.theirs(images)
    with patch.object(Rounding, "on", False):
        ours = pair.ours(images)
    assert np.mean([np.mean(a[1] == b[1]) for a, b in zip(ours, theirs, strict=True)]) < 0.9


@pytest.mark.parametrize("grid", [True, False], ids=["biases on the grid", "biases off the grid"])
@pytest.mark.parametrize("name", FLOWS)
def test_validation_is_the_code_length(name: str, grid: bool):
    """Digit by digit, outliers among them."""
    pair = Pair(name)
    if not grid:
        with torch.no_grad():
            for parameter in pair.task.net.parameters():
                parameter += 0.003 * torch.randn_like(parameter)
        pair.exact = ExactFlow(FLOWS[name], pair.task.export([]), NumpyArrays())
    images = pictures(3, 6, 16, 15, FLOWS[name].channels)
    _, bits = pair.theirs(images)
    with torch.no_grad():
        ours = float(pair.task.loss(Batch(images))) * images.size
    assert ours == pytest.approx(bits, rel=0.002 if grid else 0.01)
    assert float(pair.task.loss(Batch(images)).detach()) * images.size < bits  # training counts one floor


@pytest.mark.parametrize("name", ["flow", "flow-coupled", "flow-plain", "flow-grey"])
def test_export_makes_what_the_exact_flow_reads(name: str):
    theirs, config = tiny_checkpoint(name).arrays, TINY[name].flow
    model = vars(config) | {"couplings": vars(config.couplings)}
    ours = IdfTask(model, {}, SCHEDULE, torch.device("cpu")).export([])
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        assert (array.dtype, array.shape) == (theirs[key].dtype, theirs[key].shape), key


def test_translations_start_at_zero_only_where_they_should():
    for config, still in ((COUPLED, True), (replace(COUPLED, rezero=False), False)):
        torch.manual_seed(0)
        layer = training.Coupling(config, 3, 0)
        planes = [torch.floor(torch.rand(2, 8, 8) * 256) for _ in range(12)]
        moved = [not torch.equal(x, z) for x, z in zip(planes, layer(planes), strict=True)]
        assert any(moved) != still


def test_gradients_pass_through_a_translation():
    torch.manual_seed(0)
    layer = training.Coupling(COUPLED, 3, 0)
    planes = [torch.floor(torch.rand(2, 8, 8) * 256) for _ in range(12)]
    sum((plane * torch.randn(8, 8)).sum() for plane in layer(planes)).backward()
    assert layer.out.scale.grad is not None and (layer.out.scale.grad != 0).all()

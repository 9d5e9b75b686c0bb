"""What a training run carries on: optimisers that do what their papers say, and states that go on to the last bit."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny_recipe import written  # noqa: E402

from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.models.layers.qat.modules import Embedding, Linear  # noqa: E402
from catzip.models.training import load, train  # noqa: E402
from catzip.models.training.optimiser import OPTIMISERS  # noqa: E402
from catzip.models.training.recipe import Recipe  # noqa: E402
from catzip.models.training.schedule import Schedule  # noqa: E402
from catzip.models.training.state import TrainingState  # noqa: E402

SCHEDULE = Schedule(minutes=1, groups=1, lanes=1, steps=1, learning_rate=1e-2, ema=0.95)
EACH = pytest.mark.parametrize("optimiser", sorted(OPTIMISERS))


class Little(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = Embedding(3, 2)
        self.product = Linear(4, 6, 5, 127)

    def update(self, state: TrainingState, seed: int, rate: float = 1e-2) -> None:
        """A step from gradients that only hang on the seed."""
        torch.manual_seed(seed)
        for parameter in self.parameters():
            parameter.grad = torch.randn_like(parameter)
        state.update(rate)

    def copies(self) -> list[torch.Tensor]:
        return [parameter.detach().clone() for parameter in self.parameters()]


def everything(net: Little, state: TrainingState) -> list[torch.Tensor]:
    live = net.copies()
    with state.averaged():
        return live + net.copies()


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return load(written(tmp_path) / "tiny.toml")


@EACH
def test_a_state_saved_and_loaded_goes_on_as_if_nothing_had_been(
    tmp_path: Path, recipe: Recipe, optimiser: str
):
    """Weights, averages and the optimiser's moments: to the last bit after more steps."""
    path, schedule = tmp_path / "state.safetensors", replace(SCHEDULE, optimiser=optimiser)
    net = Little()
    state = TrainingState(net, schedule)
    for seed in range(4):
        net.update(state, seed)
    state.symbols, state.seconds = 77, 1.25
    state.save(path, recipe)
    resumed_net = Little()
    resumed = TrainingState(resumed_net, schedule)
    resumed.load(path, recipe)
    assert (resumed.step, resumed.symbols, resumed.seconds) == (4, 77, 1.25)
    for seed in range(4, 9):
        net.update(state, seed)
        resumed_net.update(resumed, seed)
        for ours, theirs in zip(everything(net, state), everything(resumed_net, resumed), strict=True):
            assert torch.equal(ours, theirs)
    resumed.save(path, recipe)  # and again
    TrainingState(Little(), schedule).load(path, recipe)


def test_a_state_of_another_optimiser_is_refused(tmp_path: Path, recipe: Recipe):
    path = tmp_path / "state.safetensors"
    TrainingState(Little(), SCHEDULE).save(path, recipe)
    with pytest.raises(
        CatzipError, match=r"trained by adamw; give a recipe with it, not muon, or another --out"
    ):
        TrainingState(Little(), replace(SCHEDULE, optimiser="muon")).load(path, recipe)


def test_the_average_is_exponential_and_young_at_first():
    net = Little()
    state = TrainingState(net, SCHEDULE)
    expected = [p.double() for p in net.copies()]
    for step in range(1, 300):
        net.update(state, step)
        decay = min(0.95, (1 + step) / (10 + step))
        expected = [decay * a + (1 - decay) * p.double() for a, p in zip(expected, net.copies(), strict=True)]
    averages = everything(net, state)[len(expected) :]
    for a, b in zip(averages, expected, strict=True):
        assert torch.allclose(a.double(), b, rtol=1e-5, atol=1e-6)
    live = net.copies()
    with pytest.raises(KeyError), state.averaged():
        raise KeyError  # whatever happens meanwhile, the live weights come back
    assert all(torch.equal(a, b) for a, b in zip(live, net.copies(), strict=True))


@EACH
def test_every_parameter_is_optimised_at_the_rate_that_is_asked_for(optimiser: str):
    """Once: a step of twice the rate goes twice as far, one of none nowhere."""
    moved = []
    for rate in (0.0, 1e-3, 2e-3):
        torch.manual_seed(0)
        net = Little()
        state = TrainingState(net, replace(SCHEDULE, optimiser=optimiser, weight_decay=0.0))
        before = net.copies()
        net.update(state, 5, rate)
        moved.append([after - old for old, after in zip(before, net.copies(), strict=True)])
    for nothing, once, twice in zip(*moved, strict=True):
        assert not nothing.any() and once.all()
        assert torch.allclose(twice, 2 * once, rtol=1e-2, atol=1e-6)


def test_first_steps_are_those_of_the_papers():
    """AdamW and Adamax: of the size of the rate, against the sign of each gradient. Muon: the weights of a product
    move along an orthogonal matrix, 0.2 in size on average where no side is larger, and a table as AdamW moves it.
    """
    steps = {}
    for optimiser in OPTIMISERS:
        torch.manual_seed(1)
        net = Little()
        state = TrainingState(net, replace(SCHEDULE, optimiser=optimiser, weight_decay=0.0))
        before = net.copies()
        net.update(state, 9, 1e-2)
        steps[optimiser] = [(old - after) / 1e-2 for old, after in zip(before, net.copies(), strict=True)]
    torch.manual_seed(9)
    table, weight, bias = (torch.randn_like(p) for p in net.parameters())
    for optimiser in ("adamw", "adamax"):
        for step, gradient in zip(steps[optimiser], (table, weight, bias), strict=True):
            assert torch.allclose(step, gradient.sign(), atol=1e-3)
    moved = steps["muon"]
    assert torch.allclose(moved[0], table.sign(), atol=1e-3)
    assert torch.allclose(moved[2], bias.sign(), atol=1e-3)
    u, _, v = torch.linalg.svd(weight, full_matrices=False)
    sizes = torch.diagonal(u.T @ moved[1] @ v.T) / (0.2 * 6**0.5)  # Newton-Schulz comes to about 1
    assert sizes.min() > 0.5 and sizes.max() < 1.5
    assert torch.allclose(moved[1], u @ torch.diag(sizes * 0.2 * 6**0.5) @ v, atol=2e-2)


def test_muon_is_refused_by_name_where_pytorch_is_too_old(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(CatzipError, match=r"has no Muon; install 2\.9 or later, or use adamw"):
        TrainingState(Little(), replace(SCHEDULE, optimiser="muon"))


@EACH
@pytest.mark.usefixtures("trains")
def test_a_run_learns_by_each_of_them(tmp_path: Path, recipe: Recipe, optimiser: str):
    learns = replace(recipe, schedule=replace(recipe.schedule, optimiser=optimiser))
    seen: list[dict] = []
    train(learns, tmp_path, tmp_path / "out", steps=60, device="cpu", report=seen.append)
    assert seen[-1]["validation"] < 7  # of 8 bits

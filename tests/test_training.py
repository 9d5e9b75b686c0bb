"""The training loop: it learns, it resumes, it writes what it says, and what it exports codes files."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import compress, decompress  # noqa: E402
from tiny_recipe import DATA, written  # noqa: E402

from catzip.models import checkpoint  # noqa: E402
from catzip.models.registry import Registry  # noqa: E402
from catzip.models.training import load, loop, names, train  # noqa: E402
from catzip.models.training.recipe import Schedule  # noqa: E402
from catzip.models.training.state import TrainingState  # noqa: E402

pytestmark = pytest.mark.usefixtures("trains")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path)


def log_of(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_training_learns_logs_and_exports_a_model_that_codes(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    reported: list[dict] = []
    out = folder / "out"
    path = train(load(folder / "tiny.toml"), folder, out, steps=80, device="cpu", report=reported.append)
    assert path == out / "tiny.safetensors"

    log = log_of(out)
    assert log == reported
    losses = [line["loss"] for line in log if "loss" in line]
    assert len(losses) == 80 and all(math.isfinite(loss) for loss in losses)
    assert losses[0] > 7  # of 8 bits
    assert np.mean(losses[-10:]) < 0.6 * losses[0]
    assert [line["step"] for line in log[:80]] == list(range(1, 81))
    assert [line["symbols"] for line in log[:80]] == [128 * step for step in range(1, 81)]
    assert log[-1]["exported"] == path.name and log[-1]["validation"] < 7

    # The folder of the run, state and all, serves as a folder of models.
    monkeypatch.setenv("CATZIP_MODELS", str(out))
    models = Registry("cpu")
    assert "tiny" in models.names() and "state" not in models.names()
    found = models.info("tiny")
    assert found["trained_on"] == "a.txt, b.txt" and found["validation_bits"] == round(
        log[-1]["validation"], 4
    )
    content = DATA[-3000:].encode()
    made = compress(content, models=models, model="tiny")
    assert models.by_name("tiny").fingerprint in made  # coded, not stored
    assert decompress(made, models=models) == content


def test_the_last_part_of_a_run_rounds(folder: Path, monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    recipe = load(folder / "tiny.toml")
    seconds = iter(np.arange(0, 10**4, 1.5).tolist())  # every look at the clock takes 1.5 s of a minute
    monkeypatch.setattr(loop.time, "monotonic", lambda: next(seconds))
    train(recipe, folder, folder / "out", device="cpu", report=seen.append)
    rounding = [line["rounding"] for line in seen if "rounding" in line]
    assert rounding == sorted(rounding) and 0.6 < 1 - np.mean(rounding) < 0.9


def test_resuming_goes_on(folder: Path):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    train(recipe, folder, out, steps=5, device="cpu")
    before = checkpoint.load(out / "state.safetensors").config["run"]
    assert before["step"] == 5 and before["symbols"] == 5 * 128 and before["seconds"] > 0
    train(recipe, folder, out, steps=9, resume=True, device="cpu")
    after = checkpoint.load(out / "state.safetensors").config["run"]
    assert after["step"] == 9 and after["symbols"] == 9 * 128 and after["seconds"] > before["seconds"]
    exported = [line for line in log_of(out) if "exported" in line]
    assert [line["step"] for line in exported] == [5, 9]  # the log is continued, too
    train(recipe, folder, out, steps=9, resume=True, device="cpu")
    assert checkpoint.load(out / "state.safetensors").config["run"] == after  # nothing left to do


def test_the_same_seed_trains_the_same_weights(folder: Path):
    recipe = load(folder / "tiny.toml")
    prints = set()
    for out in ("one", "two"):
        path = train(recipe, folder, folder / out, steps=6, minutes=1000, device="cpu")
        prints.add(checkpoint.load(path).fingerprint)
    assert len(prints) == 1
    other = replace(recipe, schedule=replace(recipe.schedule, seed=1))
    path = train(other, folder, folder / "three", steps=6, minutes=1000, device="cpu")
    assert checkpoint.load(path).fingerprint not in prints


class Little(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.matrix = torch.nn.Parameter(torch.randn(3, 2))
        self.vector = torch.nn.Parameter(torch.randn(3))

    def update(self, state: TrainingState, seed: int) -> None:
        """A step from gradients that only hang on the seed."""
        torch.manual_seed(seed)
        for parameter in self.parameters():
            parameter.grad = torch.randn_like(parameter)
        state.update(1e-2)


SCHEDULE = Schedule(minutes=1, groups=1, lanes=1, steps=1, learning_rate=1e-2, ema=0.95)


def everything(net: Little, state: TrainingState) -> list[torch.Tensor]:
    live = [p.detach().clone() for p in net.parameters()]
    with state.averaged():
        return live + [p.detach().clone() for p in net.parameters()]


def test_a_state_saved_and_loaded_goes_on_as_if_nothing_had_been(folder: Path):
    """Weights, averages and the optimiser's moments: to the last bit after more steps."""
    recipe, path = load(folder / "tiny.toml"), folder / "state.safetensors"
    net = Little()
    state = TrainingState(net, SCHEDULE)
    for seed in range(4):
        net.update(state, seed)
    state.symbols, state.seconds = 77, 1.25
    state.save(path, recipe)
    resumed_net = Little()
    resumed = TrainingState(resumed_net, SCHEDULE)
    resumed.load(path, recipe)
    assert (resumed.step, resumed.symbols, resumed.seconds) == (4, 77, 1.25)
    for seed in range(4, 9):
        net.update(state, seed)
        resumed_net.update(resumed, seed)
        for ours, theirs in zip(everything(net, state), everything(resumed_net, resumed), strict=True):
            assert torch.equal(ours, theirs)
    resumed.save(path, recipe)  # and again
    TrainingState(Little(), SCHEDULE).load(path, recipe)


def test_the_average_is_exponential_and_young_at_first():
    net = Little()
    state = TrainingState(net, SCHEDULE)
    expected = [p.detach().double() for p in net.parameters()]
    for step in range(1, 300):
        net.update(state, step)
        decay = min(0.95, (1 + step) / (10 + step))
        expected = [
            decay * a + (1 - decay) * p.detach().double()
            for a, p in zip(expected, net.parameters(), strict=True)
        ]
    averages = everything(net, state)[2:]
    for a, b in zip(averages, expected, strict=True):
        assert torch.allclose(a.double(), b, rtol=1e-5, atol=1e-6)
    live = [p.detach().clone() for p in net.parameters()]
    with pytest.raises(KeyError), state.averaged():
        raise KeyError  # whatever happens meanwhile, the live weights come back
    assert all(torch.equal(a, b) for a, b in zip(live, net.parameters(), strict=True))


def test_shipped_recipes_load():
    assert {"ar-bytes", "ar-text8"} <= set(names())
    for name in names():
        recipe = load(name)
        assert recipe.name == name and recipe.data and recipe.validation

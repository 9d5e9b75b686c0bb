"""The training loop: it learns, it resumes, it writes what it says, and what it exports codes files."""

import json
import lzma
import math
import os
import shutil
import socket
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import TEXT, compress, decompress  # noqa: E402

from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.models import checkpoint  # noqa: E402
from catzip.models.registry import Registry  # noqa: E402
from catzip.models.training import load, loop, names, train  # noqa: E402
from catzip.models.training.layers import Rounding  # noqa: E402
from catzip.models.training.recipe import Schedule  # noqa: E402
from catzip.models.training.state import TrainingState  # noqa: E402

RECIPE = """
name = "tiny"
family = "autoregressive"
medium = "bytes"
about = "a test"
data = [{ path = "a.txt", share = 2, stop = -3000 }, { path = "b.txt", share = 1 }]
validation = [{ path = "a.txt", share = 1, start = -3000 }]
[model]
alphabet = 256
width = 24
state = 24
depth = 1
hidden = 16
embed = 8
ngrams = [[1, 8], [2, 8]]
[coding]
orders = [1, 2, 3]
bits = 16
limit = 255
rate = 28000
start = 12000
[schedule]
minutes = 1
groups = 2
lanes = 4
steps = 16
learning_rate = 1e-2
warmup = 5
ema = 0.9
"""
WORDS = TEXT.split()
DATA = " ".join(WORDS[i] for i in np.random.RandomState(0).randint(0, len(WORDS), 6000))


@pytest.fixture(autouse=True)
def rounding_as_it_was(monkeypatch: pytest.MonkeyPatch):
    """The loop sets the switch; the C library's settings are for processes that only train."""
    monkeypatch.setattr(Rounding, "on", True)
    monkeypatch.setattr(loop.memory, "keep", lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(DATA)
    (tmp_path / "b.txt").write_text(DATA[::-1])
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


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


def test_a_run_is_not_overwritten(folder: Path):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    train(recipe, folder, out, steps=1, device="cpu")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(CatzipError, match=r"out holds a run; go on with --resume, or give another --out"):
        train(recipe, folder, out, steps=2, device="cpu")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


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


MEMBER = """
import json, torch
from catzip.models.training.parallel import Crew

crew = Crew(torch.device("cpu"))
net = torch.nn.ParameterList([torch.zeros(2), torch.zeros(1, 3), torch.zeros(1)])
net[0].grad = torch.full((2,), 1.0 + crew.rank)
if crew.rank == 1:
    net[1].grad = torch.full((1, 3), 4.0)
crew.share_gradients(net)
print(json.dumps([None if p.grad is None else p.grad.tolist() for p in net]))
crew.leave()
"""


def test_processes_whose_batches_reach_other_parts_of_the_network_share_gradients():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", MEMBER],
            env=os.environ
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        shared = [json.loads(member.communicate(timeout=120)[0]) for member in crew]
    finally:
        for member in crew:
            member.kill()
    assert shared == 2 * [[[1.5, 1.5], [[2.0, 2.0, 2.0]], None]]


def test_a_state_of_another_model_is_refused(folder: Path):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    train(recipe, folder, out, steps=1, device="cpu")
    other = replace(recipe, model=recipe.model | {"width": 32})
    with pytest.raises(CatzipError, match=r"state of another model; give the recipe .* or another --out"):
        train(other, folder, out, steps=2, resume=True, device="cpu")
    shutil.rmtree(out)
    train(other, folder, out, steps=1, resume=True, device="cpu")  # nothing there to go on from


def test_shipped_recipes_load():
    assert {"ar-bytes", "ar-text8"} <= set(names())
    for name in names():
        recipe = load(name)
        assert recipe.name == name and recipe.data and recipe.validation


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "tiny"', "", "'name'"),
        ("[model]", "[network]", "'model'"),
        ("learning_rate = 1e-2", "learning_rat = 1e-2", "learning_rat.*A schedule has: minutes, lanes"),
        ("share = 1 }]\nvalid", "weight = 1 }]\nvalid", "weight"),
        ("minutes = 1", "minutes =", "Invalid value"),
        ("share = 2", "share = 0", r"a\.txt has a share of 0; give a positive number"),
        ("share = 2", "share = nan", r"a\.txt has a share of nan"),
        ("stop = -3000", "stop = 0.5", r"start, stop and tile of a\.txt have to be whole numbers"),
        ("minutes = 1", "minutes = '1'", "minutes is no number"),
        ("share = 2", "share = '2'", "'<' not supported"),
        ('"b.txt"', '""', "a path is empty"),
        ("data = [", "data = []\nother = [", "needs data and validation"),
        ("validation = [", "validation = []\nother = [", "needs data and validation"),
    ],
)
def test_recipes_that_are_none_are_named(folder: Path, old: str, new: str, message: str):
    assert RECIPE.count(old) == 1
    (folder / "tiny.toml").write_text(RECIPE.replace(old, new))
    with pytest.raises(CatzipError, match=rf"tiny\.toml: not a recipe: .*{message}"):
        load(folder / "tiny.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('family = "autoregressive"', 'family = "nonsense"', "nonsense"),
        ("hidden = 16", "hiden = 16", "hiden"),
        ("embed = 8", "", "embed"),
        ("ngrams = [[1, 8], [2, 8]]", "", "ngrams"),
        ('"b.txt"', '"c.txt"', r"c\.txt: no such training file"),
        ('"b.txt"', '"."', r"'\.' names no training file; give a path or a pattern below --data"),
        ('"b.txt"', '"/b.txt"', r"'/b\.txt' names no training file"),
        ('"b.txt"', '"empty"', r"empty: no such training file"),
        ('"b.txt"', '"cut.xz"', r"cut\.xz: damaged .*; copy or download it again"),
        ('"b.txt"', '"text.xz"', r"text\.xz: damaged"),
        ("minutes = 1", "minutes = nan", "tiny: no training takes nan minutes; give a positive number"),
        ("stop = -3000", "stop = 50", r"50 symbols.* 4 lanes of 16 steps"),
        ("[coding]\norders = [1, 2, 3]", "[coding]", "orders"),
        ("rate = 28000", "rat = 28000", "rat"),
        ("limit = 255", "limit = 1024", "limit goes to 1023"),
        ("[1, 2, 3]", "[1, 9]", "1 to 8 are possible"),
    ],
)
def test_what_cannot_be_trained_is_named(folder: Path, old: str, new: str, message: str):
    assert RECIPE.count(old) == 1
    (folder / "tiny.toml").write_text(RECIPE.replace(old, new))
    (folder / "empty").mkdir()
    (folder / "cut.xz").write_bytes(lzma.compress(DATA.encode())[:-50])
    (folder / "text.xz").write_text(DATA)
    with pytest.raises(CatzipError, match=message):
        train(load(folder / "tiny.toml"), folder, folder / "out", steps=1, device="cpu")


@pytest.mark.parametrize("minutes", [math.nan, math.inf, 0, -1])
def test_a_budget_that_is_none_is_refused(folder: Path, minutes: float):
    with pytest.raises(CatzipError, match=f"no training takes {minutes:g} minutes; give a positive number"):
        train(load(folder / "tiny.toml"), folder, folder / "out", minutes=minutes, steps=1, device="cpu")
    assert not (folder / "out").exists()


def test_a_recipe_that_is_no_text_is_named(folder: Path):
    (folder / "tiny.toml").write_bytes(RECIPE.replace("a test", "caf\u00e9").encode("latin-1"))
    with pytest.raises(CatzipError, match=r"tiny\.toml: not a recipe: .*utf-8"):
        load(folder / "tiny.toml")


class Loss:
    """As no float can be, referred to weakly."""


def test_a_process_that_does_not_lead_keeps_no_losses(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    monkeypatch.setattr(loop.Crew, "leads", property(lambda crew: False))
    alive: weakref.WeakSet[Loss] = weakref.WeakSet()
    counts = []

    def step(run: loop.Run, batch: object, progress: float) -> Loss:
        run._state.step += 1
        counts.append(len(alive))
        loss = Loss()
        alive.add(loss)
        return loss

    monkeypatch.setattr(loop.Run, "_step", step)
    train(load(folder / "tiny.toml"), folder, folder / "out", steps=5, device="cpu")
    assert counts == [0, 1, 1, 1, 1]  # the last one


@pytest.mark.parametrize("keep", [0, 100])
def test_a_damaged_image_is_named(folder: Path, keep: int):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype(np.uint8)).save(
        folder / "b.webp", lossless=True
    )
    (folder / "b.webp").write_bytes((folder / "b.webp").read_bytes()[:keep])
    (folder / "tiny.toml").write_text(RECIPE.replace("b.txt", "b.webp"))
    with pytest.raises(CatzipError, match=r"b\.webp: damaged .*; copy or download it again"):
        train(load(folder / "tiny.toml"), folder, folder / "out", steps=1, device="cpu")


def test_a_recipe_that_does_not_exist_names_those_that_do():
    with pytest.raises(CatzipError, match="no recipe 'nothing'; there are ar-bytes, ar-bytes-s, ar-text8"):
        load("nothing")


def test_training_without_a_gpu_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CatzipError, match="no CUDA device here; train with --device cpu"):
        train(load(folder / "tiny.toml"), folder, folder / "out", steps=1, device="cuda")

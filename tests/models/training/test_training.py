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
from catzip.models.training.families import task_for  # noqa: E402
from catzip.models.training.recipe import RECIPES  # noqa: E402

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


def test_a_network_is_trained_to_code_alone_and_without_matches(folder: Path):
    recipe = replace(load(folder / "tiny.toml"), coding={"mixer": False, "match": False})
    task, seen = task_for(recipe, torch.device("cpu")), []
    task.net.register_forward_pre_hook(lambda net, given: seen.append(given[0]))
    data = [DATA.encode()]
    for batch, _ in zip(task.batches(data, [1.0], 0), range(5), strict=False):
        assert (batch.rows[-1] > 0).any() or batch.fresh.any()
        task.loss(batch)
    assert seen and not any(rows[-1].any() for rows in seen)

    coder = Registry("cpu").by_name(str(train(recipe, folder, folder / "out", steps=20, device="cpu")))
    symbols = np.frombuffer(DATA[-3000:].encode(), np.uint8)
    plan = coder.plan(len(symbols))
    trained = log_of(folder / "out")[-1]["validation"]
    assert coder.nll(symbols, plan) / len(symbols) == pytest.approx(trained, rel=0.1)
    assert (coder.decode(coder.encode(symbols, plan), len(symbols), plan) == symbols).all()


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


def test_what_was_done_until_a_signal_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    monkeypatch.setattr(loop, "LOG_EVERY", 0)

    def stop(record: dict) -> None:
        if record["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, folder, out, steps=9, device="cpu", report=stop)
    assert checkpoint.load(out / "state.safetensors").config["run"]["step"] == 3
    train(recipe, folder, out, steps=9, resume=True, device="cpu")
    assert log_of(out)[-1]["step"] == 9


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


def test_shipped_recipes_load():
    assert {"ar-bytes", "ar-text8"} <= set(names())
    for name in names():
        recipe = load(name)
        assert recipe.name == name and recipe.data and recipe.validation


def test_the_recipe_that_is_told_of_is_one(tmp_path: Path):
    """The one of the README in the folder of recipes, which may begin with the weights that it names."""
    told = (
        (RECIPES / "README.md")
        .read_text(encoding="utf-8")
        .split("## A recipe of your own\n")[1]
        .split("\n## ")[0]
    )
    lines = [line[4:] for line in told.splitlines() if line.startswith("    ") or not line]
    (tmp_path / "mine.toml").write_text("\n".join(lines))
    (tmp_path / "letters.txt").write_bytes(b"Dear friend, how are you? " * 20_000)
    path = train(
        load(tmp_path / "mine.toml"), tmp_path, tmp_path / "out", steps=1, start="ar-bytes-s", device="cpu"
    )
    assert checkpoint.load(path).config["name"] == "mine"

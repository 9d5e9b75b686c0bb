"""What the training refuses: recipes and data that are none, and a folder that holds another run."""

import lzma
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_recipe import DATA, RECIPE, written  # noqa: E402

from catzip.compressor.coding.model import ALPHABETS  # noqa: E402
from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.compressor.media import MEDIA  # noqa: E402
from catzip.models.layers.qat.modules import Rounding  # noqa: E402
from catzip.models.training import load, loop, train  # noqa: E402
from catzip.models.training.recipe import LONGEST  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Rounding, "on", True)
    monkeypatch.setattr(loop.memory, "keep", lambda: None)  # for processes that only train
    return written(tmp_path)


def test_a_run_is_not_overwritten(folder: Path):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    train(recipe, folder, out, steps=1, device="cpu")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(CatzipError, match=r"out holds a run; go on with --resume, or give another --out"):
        train(recipe, folder, out, steps=2, device="cpu")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_state_of_another_model_is_refused(folder: Path):
    recipe, out = load(folder / "tiny.toml"), folder / "out"
    train(recipe, folder, out, steps=1, device="cpu")
    other = replace(recipe, model=recipe.model | {"width": 32})
    with pytest.raises(CatzipError, match=r"state of another model; give the recipe .* or another --out"):
        train(other, folder, out, steps=2, resume=True, device="cpu")
    shutil.rmtree(out)
    train(other, folder, out, steps=1, resume=True, device="cpu")  # nothing there to go on from


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "tiny"', "", "missing required field `name`"),
        ("[model]", "[network]", "it has a field 'network'; it may have name, family"),
        ("[model]", "model = 5\n[other]", "has a field 'other'"),
        ("[model]", "[[model]]", "model: Expected `object`, got `array`"),
        ("family = ", "famil = ", "it has a field 'famil'.*README.md tells how"),
        (
            "learning_rate = 1e-2",
            "learning_rat = 1e-2",
            "schedule has a field 'learning_rat'; it may have",
        ),
        ("share = 1 }]\nvalid", "weight = 1 }]\nvalid", "weight"),
        ("minutes = 1", "minutes =", "Invalid value"),
        ("share = 2", "share = 0", r"data\[0\]\.share: Expected `float` > 0\.0"),
        ("share = 2", "share = nan", r"data\[0\]\.share: Expected `float`"),
        ("share = 2", "share = inf", r"data\[0\]\.share: Expected `float`"),
        ("stop = -3000", "stop = 0.5", r"data\[0\]\.stop: Expected `int \| null`, got `float`"),
        ("minutes = 1", "minutes = '1'", "schedule.minutes: Expected `float`, got `str`"),
        ("minutes = 1", "minutes = true", "schedule.minutes: Expected `float`, got `bool`"),
        ("minutes = 1", "minutes = nan", "schedule.minutes: Expected `float` > 0"),
        ("minutes = 1", "minutes = 1e400", "schedule.minutes: Expected `float` <= 1000000000"),
        ("minutes = 1", f"minutes = {'9' * 5000}", "Exceeds the limit"),
        ("minutes = 1", f"minutes = {'9' * 300}", "schedule.minutes: Expected"),
        ("minutes = 1", f"minutes = {'[' * 3000 + ']' * 3000}", "it is nested too deeply"),
        ("minutes = 1", f"minutes = {'{a=' * 3000}1{'}' * 3000}", "it is nested too deeply"),
        ('name = "tiny"', 'name = "../../tiny"', r"the name '\.\./\.\./tiny': letters, digits"),
        (
            "minutes = 1",
            "minutes = 1\noptimiser = 'sgd'",
            "no optimiser 'sgd'; there are adamw, adamax, muon",
        ),
        ("lanes = 4", "lanes = 0", "schedule.lanes: Expected `int` >= 1"),
        ("steps = 16", "steps = 1.5", "schedule.steps: Expected `int`, got `float`"),
        ("ema = 0.9", "ema = 1.5", "schedule.ema: Expected `float` <= 1.0"),
        ("learning_rate = 1e-2", "learning_rate = -1", "schedule.learning_rate: Expected `float` > 0.0"),
        ('medium = "bytes"', 'medium = "prose"', "no medium 'prose'; there are bytes, text27, array, image"),
        ('medium = "bytes"', 'medium = "text27"', "text27 has 27 symbols, and the model an alphabet of 256"),
        ("share = 2", "share = '2'", r"data\[0\]\.share: Expected `float`, got `str`"),
        ('"b.txt"', '""', r"path: Expected `str` of length >= 1"),
        ('family = "autoregressive"', 'family = "nonsense"', "no family 'nonsense'; there are ardm"),
        ('family = "autoregressive"', 'family = "idf"', "coding has a field"),
        ("hidden = 16", "hiden = 16", "model has a field 'hiden'"),
        ("embed = 8", "", "model: Object missing required field `embed`"),
        ("embed = 8", "embed = 0", "model.embed: Expected `int` >= 1"),
        ("width = 24", "width = -24", "model.width: Expected `int` >= 1"),
        ("width = 24", "width = 24.0", "model.width: Expected `int`, got `float`"),
        ("depth = 1", "depth = true", "model.depth: Expected `int`, got `bool`"),
        ("[[1, 8], [2, 8]]", "[[1, 40]]", r"model.ngrams\[0\]\[1\]: Expected `int` <= 24"),
        ("[[1, 8], [2, 8]]", "[[0, 8]]", r"model.ngrams\[0\]\[0\]: Expected `int` >= 1"),
        ("ngrams = [[1, 8], [2, 8]]", "", "missing required field `ngrams`"),
        ("[coding]\norders = [1, 2, 3]", "[coding]", "coding: Object missing required field `orders`"),
        ("rate = 28000", "rat = 28000", "coding has a field 'rat'"),
        ("limit = 255", "limit = 1024", "coding.limit: Expected `int` <= 1023"),
        ("[1, 2, 3]", "[1, 9]", r"coding.orders\[1\]: Expected `int` <= 8"),
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
        ('"b.txt"', '"c.txt"', r"c\.txt: no such training file"),
        ('"b.txt"', '"."', r"'\.' names no training file; give a path or a pattern below --data"),
        ('"b.txt"', '"/b.txt"', r"'/b\.txt' names no training file"),
        ('"b.txt"', '"empty"', r"empty: no such training file"),
        ('"b.txt"', '"cut.xz"', r"cut\.xz: damaged .*; copy or download it again"),
        ('"b.txt"', '"text.xz"', r"text\.xz: damaged"),
        ("stop = -3000", "stop = 50", r"50 symbols.* 4 lanes of 16 steps"),
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


def test_media_are_those_of_the_compressor():
    assert {name: medium.alphabet for name, medium in MEDIA.items()} == ALPHABETS


@pytest.mark.parametrize("minutes", [math.nan, math.inf, 0, -1])
def test_a_budget_that_is_none_is_refused(folder: Path, minutes: float):
    with pytest.raises(CatzipError, match=f"no training takes {minutes:g} minutes; give a positive number"):
        train(load(folder / "tiny.toml"), folder, folder / "out", minutes=minutes, steps=1, device="cpu")
    assert not (folder / "out").exists()


def test_a_recipe_that_is_no_text_is_named(folder: Path):
    (folder / "tiny.toml").write_bytes(RECIPE.replace("a test", "caf\u00e9").encode("latin-1"))
    with pytest.raises(CatzipError, match=r"tiny\.toml: not a recipe: .*utf-8"):
        load(folder / "tiny.toml")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "huge"])
def test_what_is_no_recipe_is_not_read(folder: Path, kind: str):
    path = folder / "tiny.toml"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"#" * (LONGEST + 1))
    with pytest.raises(CatzipError, match=r"tiny\.toml: not a recipe: it (is no regular file|has more than)"):
        load(path)


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

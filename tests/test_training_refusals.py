"""What the training refuses: recipes and data that are none, and a folder that holds another run."""

import lzma
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_recipe import DATA, RECIPE, written  # noqa: E402

from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.compressor.media import MEDIA  # noqa: E402
from catzip.models.layers.qat.modules import Rounding  # noqa: E402
from catzip.models.training import load, loop, train  # noqa: E402
from catzip.models.training.recipe import ALPHABETS  # noqa: E402


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
        ('name = "tiny"', "", "'name'"),
        ("[model]", "[network]", "'model'"),
        ("[model]", "model = 5\n[network]", "model is no table"),
        ("family = ", "famil = ", "it has no 'family'.*README.md tells how"),
        ("learning_rate = 1e-2", "learning_rat = 1e-2", "learning_rat.*A schedule has: minutes, lanes"),
        ("share = 1 }]\nvalid", "weight = 1 }]\nvalid", "weight"),
        ("minutes = 1", "minutes =", "Invalid value"),
        ("share = 2", "share = 0", r"a\.txt has a share of 0; give a positive number"),
        ("share = 2", "share = nan", r"a\.txt has a share of nan"),
        ("stop = -3000", "stop = 0.5", r"start, stop and tile of a\.txt have to be whole numbers"),
        ("minutes = 1", "minutes = '1'", "minutes is no number"),
        ("minutes = 1", "minutes = true", "minutes is no number"),
        ('name = "tiny"', 'name = "../../tiny"', r"the name '\.\./\.\./tiny': letters, digits"),
        (
            "minutes = 1",
            "minutes = 1\noptimiser = 'sgd'",
            "no optimiser 'sgd'; there are adamw, adamax, muon",
        ),
        ("lanes = 4", "lanes = 0", "lanes is 0, and has to be 1 or more"),
        ("steps = 16", "steps = 1.5", "steps is 1.5, and has to be a whole number"),
        ("ema = 0.9", "ema = 1.5", "ema is 1.5, and has to be a share, from 0 to 1"),
        (
            "learning_rate = 1e-2",
            "learning_rate = -1",
            "learning_rate is -1, and has to be a positive number",
        ),
        ('medium = "bytes"', 'medium = "prose"', "no medium 'prose'; there are bytes, text27, array, image"),
        ('medium = "bytes"', 'medium = "text27"', "text27 has 27 symbols, and the model an alphabet of 256"),
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
        ("embed = 8", "embed = 0", "embed is 0, and has to be 1 or more"),
        ("width = 24", "width = -24", "width is -24, and has to be 1 or more"),
        ("depth = 1", "depth = true", "depth is True, and has to be a whole number"),
        ("[[1, 8], [2, 8]]", "[[1, 40]]", r"a table of 2\*\*40 rows; 2\*\*1 to 2\*\*24 are possible"),
        ("[[1, 8], [2, 8]]", "[[0, 8]]", "an n-gram of 0 symbols"),
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

"""Flows in training: crops and tiles, what is learnt, and that the export codes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from catzip.compressor.errors import CatzipError  # noqa: E402
from catzip.models import checkpoint  # noqa: E402
from catzip.models.families.idf.training import IdfTask  # noqa: E402
from catzip.models.registry import Registry  # noqa: E402
from catzip.models.training import load, loop, train  # noqa: E402
from catzip.models.training.families import task_for  # noqa: E402
from catzip.models.training.mosaics import read_tiles  # noqa: E402
from catzip.models.training.mosaics import tiles as read_back  # noqa: E402

RECIPE = """
name = "{name}"
family = "idf"
medium = "{medium}"
about = "a test"
data = [{{ path = "a.*", share = 1 }}]
validation = [{{ path = "held.*", share = 1 }}]
[coding]
{coding}
[schedule]
minutes = 1
lanes = 1
learning_rate = 1e-2
warmup = 5
ema = 0.8
{schedule}
[model]
{shape}
channels = {channels}
levels = 3
nets = 2
width = 8
hidden = 6
depth = 1
components = 2
couplings = {{ count = {couplings}, growth = 4, depth = 1 }}
"""
ARRAY = {"medium": "array", "coding": "", "schedule": "", "couplings": 0}
RECIPES = {
    "array": ARRAY | {"shape": "shape = [8, 8, 3]", "channels": 3},
    "grey": ARRAY | {"shape": "shape = [8, 8]", "channels": 1},
    "coupled": ARRAY | {"shape": "shape = [8, 8, 3]", "channels": 3, "couplings": 2},
    "photo": {
        "medium": "image",
        "coding": "side = 12",
        "schedule": "crop = 8\ngrey = 0.2",
        "couplings": 0,
        "shape": "",
        "channels": 3,
    },
}


pytestmark = pytest.mark.usefixtures("trains")


def pictures(count: int, seed: int, side: int = 8, channels: int = 3) -> np.ndarray:
    """Smooth gradients with a little noise, uint8 [count, side, side, channels]."""
    random = np.random.RandomState(seed)
    corner, slope = (
        random.randint(40, 160, (count, 1, 1, channels)),
        random.randint(-5, 6, (2, count, 1, 1, 1)),
    )
    y, x = np.mgrid[:side, :side][..., None]
    noise = random.randint(0, 3, (count, side, side, channels))
    return (corner + slope[0] * y + slope[1] * x + noise).clip(0, 255).astype(np.uint8)


def folder_for(name: str, folder: Path) -> Path:
    (folder / "recipe.toml").write_text(RECIPE.format(name=name, **RECIPES[name]))
    for file, count, seed in (("a", 200, 0), ("held", 20, 1)):
        if name == "photo":
            np.save(folder / f"{file}.npy", pictures(count, seed, 16))
        else:
            made = pictures(count, seed, channels=RECIPES[name]["channels"])
            (folder / f"{file}.bin").write_bytes(made.tobytes())
    return folder


def task_of(name: str, folder: Path) -> IdfTask:
    torch.manual_seed(0)
    task = task_for(load(folder_for(name, folder) / "recipe.toml"), torch.device("cpu"))
    assert isinstance(task, IdfTask)
    return task


def data_of(name: str, folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("a.*")]


@pytest.mark.parametrize("name", ["grey", "coupled", "photo"])
def test_training_learns_and_the_export_codes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Over a run that is cut off and resumed."""
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    folder, out = folder_for(name, tmp_path), tmp_path / "out"
    recipe = load(folder / "recipe.toml")
    train(recipe, folder, out, steps=9, device="cpu")
    path = train(recipe, folder, out, steps=18, resume=True, device="cpu")

    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in log if "loss" in line]
    assert len(losses) == 18
    assert np.mean(losses[-4:]) < np.mean(losses[:2]) - 0.2

    model = Registry("cpu").by_name(str(path))
    symbols = pictures(4, 2, 16 if name == "photo" else 8, RECIPES[name]["channels"])
    shape = (64, 16, 3) if name == "photo" else ()
    symbols = symbols.reshape(-1)[: None if shape else -50]
    plan = model.plan(len(symbols), shape=shape)
    stacks = list(model.encode(symbols, plan))
    bits = 8 * sum(len(stack.to_bytes()) for stack in stacks)
    assert bits < 0.8 * 8 * len(symbols)
    assert np.array_equal(model.decode(iter(stacks), len(symbols), plan), symbols)


@pytest.mark.parametrize("shape", [(16, 8, 3), (8, 16, 3)])
def test_images_of_a_shape_are_trained_on_whole(tmp_path: Path, shape: tuple[int, ...]):
    folder = folder_for("array", tmp_path)
    text = (folder / "recipe.toml").read_text().replace("[8, 8, 3]", str(list(shape)))
    (folder / "recipe.toml").write_text(text)
    task = task_for(load(folder / "recipe.toml"), torch.device("cpu"))
    batch = next(task.batches(data_of("array", tmp_path), [1.0], 0))
    assert batch.symbols.shape == (8, *shape)  # as many pixels as 32 x 32


def test_couplings_join_at_their_share_of_the_run_at_no_loss(tmp_path: Path):
    task = task_of("coupled", tmp_path)
    task._schedule = replace(task._schedule, couplings_from=0.25)
    batch = next(task.batches(data_of("coupled", tmp_path), [1.0], 0))
    costs = []
    for progress, coupled in ((0.0, False), (0.24, False), (0.25, True), (1.0, True)):
        task.advance(progress)
        assert task.net.coupled == coupled
        costs.append(task.loss(batch).item())
    assert len(set(costs)) == 1  # translations start at zero


def test_a_run_goes_on_with_couplings_that_have_not_been_trained(tmp_path: Path):
    """Their parameters have no moments in the saved state."""
    folder, out = folder_for("coupled", tmp_path), tmp_path / "out"
    recipe = load(folder / "recipe.toml")
    for start, steps, moved in ((1.0, 3, False), (0.0, 6, True)):
        each = replace(recipe, schedule=replace(recipe.schedule, couplings_from=start))
        train(each, folder, out, steps=steps, resume=True, device="cpu")
        state = checkpoint.load(out / "state.safetensors").arrays
        assert ("step/levels.0.couplings.0.out.scale" in state) == moved
        assert bool(state["weight/levels.0.couplings.0.out.scale"].any()) == moved


def test_validation_is_what_the_export_codes(tmp_path: Path):
    folder, out = folder_for("array", tmp_path), tmp_path / "out"
    path = train(load(folder / "recipe.toml"), folder, out, steps=5, device="cpu")
    (measured,) = (
        line["validation"]
        for line in map(json.loads, (out / "log.jsonl").read_text().splitlines())
        if "exported" in line
    )
    model, held = Registry("cpu").by_name(str(path)), pictures(20, 1).ravel()
    assert model.nll(held, model.plan(len(held))) / len(held) == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize("name", RECIPES)
def test_batches_are_crops_of_the_data(name: str, tmp_path: Path):
    """As many pixels as so many images of 32 x 32; of any corpus, in the same order from the same seed."""
    task = task_of(name, tmp_path)
    data = data_of(name, tmp_path)
    batches, again = (task.batches(data, [1.0], 3) for _ in range(2))
    depths = set()
    for _, batch, other in zip(range(40), batches, again, strict=False):
        assert batch.symbols.dtype == np.uint8 and batch.symbols.shape[:3] == (16, 8, 8)
        assert np.array_equal(batch.symbols, other.symbols)
        depths.add(batch.symbols.shape[3])
    assert depths == ({1, 3} if name == "photo" else {RECIPES[name]["channels"]})


def test_corpora_have_their_shares(tmp_path: Path):
    task = task_of("array", tmp_path)
    dark, bright = (np.full((5, 8, 8, 3), value, np.uint8).tobytes() for value in (0, 255))
    batches = task.batches([dark, bright], [1, 9], 0)
    found = [next(batches).symbols.mean() for _ in range(60)]
    assert set(found) == {0, 255} and 0.75 < np.mean(found) / 255 < 1


def test_crops_lie_everywhere_and_are_mirrored_and_turned(tmp_path: Path):
    task = task_of("photo", tmp_path)
    y, x = np.mgrid[:16, :16]
    image = np.stack([y, x, y * 0], -1)[None].astype(np.uint8)
    batches = task.batches([npy(image)], [1.0], 0)
    corners, ways = set(), set()
    for _ in range(100):
        symbols = next(batches).symbols
        if symbols.shape[3] == 1:
            continue
        for crop in symbols.astype(int):
            (height, width), (down, across) = crop[..., :2].min((0, 1)), crop[1, 1, :2] - crop[0, 0, :2]
            corners.add((int(height), int(width)))
            ways.add((int(crop[0, 1, 0] != crop[0, 0, 0]), int(down), int(across)))
    assert {corner for pair in corners for corner in pair} == set(range(9)) and len(corners) > 70
    assert len(ways) == 8


def npy(images: np.ndarray) -> bytes:
    from io import BytesIO

    out = BytesIO()
    np.save(out, images)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("array", bytes(100), "a corpus has 100 bytes, which are not whole items of 192; give .npy files"),
        ("array", b"", "a corpus has no items"),
        ("array", npy(pictures(3, 0, 16)), r"uint8 \[3, 16, 16, 3\]; the model takes uint8, N x 8 x 8 x 3"),
        ("array", npy(pictures(3, 0).astype(np.float32)), r"float32 .*; the model takes uint8"),
        ("array", npy(pictures(3, 0))[:-1], "begins as .npy and does not go on so"),
        ("array", npy(pictures(3, 0)) + b"and more", "begins as .npy and does not go on so"),
        ("array", npy(pictures(3, 0)) + b"PK\3\4" + bytes(50), "begins as .npy and does not go on so"),
        ("photo", npy(pictures(3, 0)) + npy(pictures(3, 0, 16)), "arrays of a corpus are not alike"),
        ("grey", npy(pictures(3, 0)), "the model takes uint8, N x 8 x 8"),
        ("photo", bytes(192), "192 bytes, which are not images of a known size; give .npy files"),
        ("photo", npy(pictures(3, 0)[0, 0]), "the model takes uint8, N x height x width x channels"),
        ("photo", npy(pictures(0, 0)), "no items: its images are smaller than a tile, or it is empty"),
    ],
)
def test_data_that_is_no_items_of_the_model_is_refused(name: str, data: bytes, message: str, tmp_path: Path):
    task = task_of(name, tmp_path)
    with pytest.raises(CatzipError, match=message):
        next(task.batches([data], [1.0], 0))
    with pytest.raises(CatzipError, match=message):
        task.validate([data])


def test_images_of_other_channels_are_refused(tmp_path: Path):
    task = task_of("photo", tmp_path)
    with pytest.raises(CatzipError, match="a corpus has 1 channels; the model 3"):
        next(task.batches([npy(pictures(3, 0, 16, 1))], [1.0], 0))


@pytest.mark.parametrize("size", [(32, 32), (33, 32), (70, 64), (45, 100)])
def test_images_are_cut_with_overlap(tmp_path: Path, size: tuple[int, int]):
    """Tiles are as few as cover every pixel; .npy files one after another are one corpus."""
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.RandomState(0).randint(0, 256, (*size, 3)).astype(np.uint8)
    image.fromarray(pixels).save(tmp_path / "a.png")
    found = read_tiles(tmp_path / "a.png")
    cut = read_back(found, ())
    down, across = -(-size[0] // 32), -(-size[1] // 32)
    assert cut.shape == (down * across, 32, 32, 3)
    covered = np.zeros(size, bool)
    for tile in cut:
        places = [
            (y, x)
            for y in range(size[0] - 31)
            for x in range(size[1] - 31)
            if np.array_equal(pixels[y, x : x + 32], tile[0])
            and np.array_equal(pixels[y : y + 32, x : x + 32], tile)
        ]
        assert len(places) == 1
        covered[places[0][0] : places[0][0] + 32, places[0][1] : places[0][1] + 32] = True
    assert covered.all()
    assert np.array_equal(read_back(found + found, ()), np.concatenate([cut, cut]))


@pytest.mark.parametrize("size", [(31, 40), (40, 31), (1, 1)])
def test_images_smaller_than_a_tile_give_none(tmp_path: Path, size: tuple[int, int]):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.zeros((*size, 3), np.uint8)).save(tmp_path / "a.png")
    image.fromarray(np.ones((32, 32, 3), np.uint8)).save(tmp_path / "b.png")
    small, large = read_tiles(tmp_path / "a.png"), read_tiles(tmp_path / "b.png")
    assert np.array_equal(read_back(small + large, ()), np.ones((1, 32, 32, 3)))
    with pytest.raises(CatzipError, match="smaller than a tile"):
        read_back(small, ())


def test_data_of_no_format_is_items_of_the_shape():
    found = read_back(bytes(range(24)), (2, 4))
    assert found.tolist() == np.arange(24).reshape(3, 2, 4).tolist()


def test_shipped_recipes_of_the_family_build():
    for name in ("idf-cifar10", "idf-mnist", "idf-photo"):
        task = task_for(load(name), torch.device("cpu"))
        assert sum(parameter.numel() for parameter in task.net.parameters()) < 6_000_000, name

"""Arrays, steps and samples through the command line, in a process of its own."""

import io
import json
import os
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
from clitools import catzip, contents
from helpers import TESTS, TEXT
from tiny_models import masked, tiny_path

from catzip.commands.models import lines
from catzip.commands.sheets import GAP, sheet


def fake(*arguments, cwd, code=0, **options):
    """As `catzip`, with the models of fake_cli.py."""
    words = [sys.executable, str(TESTS / "fake_cli.py"), *map(str, arguments)]
    done = subprocess.run(words, cwd=cwd, capture_output=True, timeout=120, **options)
    done.stderr = done.stderr.decode()
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def npy(*shape: int) -> bytes:
    """A .npy file of letters, so that a table model beats xz."""
    letters = random.Random(3).choices(TEXT.encode(), k=int(np.prod(shape)))
    out = io.BytesIO()
    np.save(out, np.array(letters, np.uint8).reshape(shape))
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(90, 4, 3))
    (tmp_path / "b.npy").write_bytes(npy(50, 5, 4, 3))
    (tmp_path / "a.txt").write_text(TEXT)
    return tmp_path


def frame_facts(name, folder):
    (found,) = json.loads(fake("list", "--json", name, cwd=folder).stdout)
    return found["frames"][0]


@pytest.mark.parametrize("words", [(), ("-m", "table-array")], ids=["default", "named"])
def test_an_array_comes_back_from_the_model_of_its_shape(words, folder):
    before = (folder / "a.npy").read_bytes()
    fake("compress", "--rm", *words, "a.npy", cwd=folder)
    frame = frame_facts("a.npy.catz", folder)
    assert (frame["model"], frame["medium"], frame["symbols"]) == ("table-array", "array", 90 * 12)
    fake("decompress", "a.npy.catz", cwd=folder)
    assert (folder / "a.npy").read_bytes() == before


def test_a_file_that_does_not_fit_is_named_with_what_would(folder):
    before = contents(folder)
    done = fake("compress", "--rm", "-m", "table-array", "a.txt", "b.npy", cwd=folder, code=1)
    assert contents(folder) == before
    codes = "the model table-array codes arrays of shape [N, 4, 3], uint8"
    assert done.stderr.splitlines() == [
        f"catzip: a.txt: this is not an array in a .npy file; {codes}; "
        "leave the model (-m) out to have it chosen by the content",
        f"catzip: b.npy: this is an array of shape [50, 5, 4, 3], uint8; {codes}; models for it: table-pictures",
    ]
    done = fake("compress", "-c", "-m", "table-array", cwd=folder, code=1, input=TEXT.encode())
    assert done.stderr.startswith("catzip: standard input: this is not an array") and done.stdout == b""


@pytest.mark.parametrize(("steps", "shown"), [("3", 3), ("12", "all"), ("all", "all")])
def test_steps_are_recorded_and_listed(steps, shown, folder):
    fake("compress", "-m", "table-array", "--steps", steps, "a.npy", cwd=folder)
    frame = frame_facts("a.npy.catz", folder)
    assert (frame["steps"], frame["plan"]) == (shown, [0 if shown == "all" else 3, 120])
    assert f"table-array, {shown} steps" in fake("list", "-v", "a.npy.catz", cwd=folder).stdout.decode()
    assert fake("cat", "a.npy.catz", cwd=folder).stdout == (folder / "a.npy").read_bytes()


def test_models_without_steps_list_none(folder):
    fake("compress", "-m", "table-bytes", "a.txt", cwd=folder)
    frame = frame_facts("a.txt.catz", folder)
    assert (frame["steps"], frame["plan"]) == (None, [100])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compress", "-m", "table-array", "--steps", "7", "a.npy"], "3, 12 (all) steps, not in 7"),
        (["compress", "-m", "table-array", "--steps", "some", "a.npy"], "neither a number of steps nor all"),
        (["compress", "-m", "table-array", "--steps", "0", "a.npy"], "neither a number of steps nor all"),
        (["compress", "--steps", "3", "a.npy"], "--steps goes with -m MODEL"),
        (["sample", "-m", "table-array", "--steps", "7"], "3, 12 (all) steps, not in 7"),
        (["sample"], "--model"),
    ],
)
def test_wrong_steps_are_usage_errors(words, message, folder):
    before = contents(folder)
    assert message in fake(*words, cwd=folder, code=2).stderr
    assert contents(folder) == before


def test_steps_for_a_shipped_model_that_has_none(folder):
    done = catzip("compress", "-m", "ar-text8", "--steps", "20", "a.txt", cwd=folder, code=2)
    assert "ar-text8 codes symbol by symbol" in done.stderr


def test_samples_of_a_shipped_model_are_lines(tmp_path):
    words = ["sample", "-m", "ar-text8", "-n", 2, "--seed", 5]
    shown = catzip(*words, cwd=tmp_path).stdout
    first, second = shown.decode().splitlines()
    assert len(first) == len(second) == 256 and first != second
    assert set(first) <= set(" abcdefghijklmnopqrstuvwxyz")
    catzip(*words, "-o", "b.txt", "-T", 2, cwd=tmp_path)
    assert (tmp_path / "b.txt").read_bytes() == shown


def test_samples_of_bytes_can_be_printed(tmp_path):
    done = fake("sample", "-m", "table-bytes", "-n", 9, "--seed", 1, cwd=tmp_path).stdout.decode()
    assert done.count("\n") == 9 and done.replace("\n", "").isprintable()
    assert fake("sample", "-m", "table-bytes", cwd=tmp_path).stdout.count(b"\n") == 1


@pytest.mark.parametrize(("model", "mode"), [("table-pictures", "RGB"), ("table-grey", "L")])
def test_samples_of_pictures_are_a_sheet(model, mode, tmp_path):
    image = pytest.importorskip("PIL.Image")
    words = ["sample", "-m", model, "-n", 7, "--seed", 1]
    fake(*words, "-o", "b.png", cwd=tmp_path)
    with image.open(tmp_path / "b.png") as found:
        assert (found.format, found.mode) == ("PNG", mode)
        assert found.size == (3 * 4 + 2 * GAP, 3 * 5 + 2 * GAP)
        assert found.getpixel((13, 18)) in (255, (255, 255, 255))  # the eighth tile is not there
    assert fake(*words, cwd=tmp_path).stdout == (tmp_path / "b.png").read_bytes()
    assert fake(*words, "--steps", "all", cwd=tmp_path).stdout


def test_tiles_of_a_sheet_lie_row_by_row():
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 1), np.uint8)
    whole = sheet(tiles)[:, :, 0]
    assert whole.shape == (2 * 2 + GAP, 3 * 3 + 2 * GAP)
    assert whole[0, :: 3 + GAP].tolist() == [0, 1, 2]
    assert whole[2 + GAP, :: 3 + GAP].tolist() == [3, 4, 255]
    assert sheet(tiles[:1]).shape == (2, 3, 1)


def test_items_that_are_no_pictures(tmp_path):
    (tmp_path / "b.png").write_bytes(b"precious")
    done = fake("sample", "-m", "table-array", "-f", "-o", "b.png", cwd=tmp_path)
    assert done.stderr == ""  # [4, 3] is grey
    code = "import fake_cli as f; f.Grey.shape = (7,); f.Settings.registry = lambda self: f.FAKES; f.main()"
    words = [sys.executable, "-c", code, "sample", "-m", "table-grey", "-o", "c.png"]
    env = {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "catzip: table-grey codes items of shape [7], which are no pictures\n"
    assert set(contents(tmp_path)) == {"b.png"}


def test_an_existing_sample_is_not_overwritten(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"precious")
    done = fake("sample", "-m", "table-text27", "-o", "b.txt", cwd=tmp_path, code=1)
    assert "b.txt exists already" in done.stderr and "-f" in done.stderr
    assert contents(tmp_path) == {"b.txt": b"precious"}
    fake("sample", "-m", "table-text27", "-f", "-o", "b.txt", cwd=tmp_path)
    assert contents(tmp_path)["b.txt"].count(b"\n") == 1


def test_a_sample_of_an_unknown_model(tmp_path):
    assert "no-such-model" in catzip("sample", "-m", "no-such-model", cwd=tmp_path, code=2).stderr


def test_pictures_need_pillow_and_say_so(tmp_path):
    code = (
        "import sys; sys.modules['PIL'] = None; import fake_cli as f;"
        "f.Settings.registry = lambda self: f.FAKES; f.main()"
    )
    words = [sys.executable, "-c", code, "sample", "-m", "table-pictures", "-o", "b.png"]
    env = {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "catzip: pictures need Pillow. Install it: pip install 'catzip[images]'\n"
    assert not contents(tmp_path)


def save_likely(path, steps):
    """Pictures of the tiny network's own, which it codes in that many steps better than xz does."""
    drawn = masked("images").sample(40, steps, np.random.RandomState(1))
    np.save(path, drawn.reshape(40, 4, 4, 3))


@pytest.fixture
def images(folder):
    """A tiny network is installed, and there are pictures for it."""
    save_likely(folder / "images.npy", None)
    (folder / "models").mkdir()
    shutil.copy(tiny_path("images"), folder / "models")
    return {**os.environ, "CATZIP_MODELS": str(folder / "models")}


@pytest.mark.parametrize("steps", [5, "all"])
def test_a_network_that_codes_items(steps, images, folder):
    save_likely(folder / "images.npy", 0 if steps == "all" else steps)
    before = (folder / "images.npy").read_bytes()
    catzip("compress", "--rm", "-m", "images", "--steps", steps, "images.npy", cwd=folder, env=images)
    found = json.loads(catzip("list", "--json", "images.npy.catz", cwd=folder, env=images).stdout)
    frame = found[0]["frames"][0]
    assert (frame["kind"], frame["model"], frame["steps"]) == ("coded", "images", steps)
    catzip("decompress", "images.npy.catz", cwd=folder, env=images)
    assert (folder / "images.npy").read_bytes() == before


def test_a_network_is_found_by_the_shape_of_the_items(images, folder):
    packed = catzip("compress", "-c", "images.npy", cwd=folder, env=images).stdout
    assert masked("images").fingerprint in packed
    done = catzip("compress", "-m", "images", "a.npy", cwd=folder, env=images, code=1)
    assert (
        "array of shape [90, 4, 3], uint8; the model images codes arrays of shape [N, 4, 4, 3]" in done.stderr
    )
    done = catzip("compress", "-m", "images", "--steps", 7, "images.npy", cwd=folder, env=images, code=2)
    assert "5, 10" in done.stderr


def test_samples_of_a_network_are_the_same_for_the_same_seed(images, folder):
    words = ["sample", "-m", "images", "-n", 4]
    first, again, other = (
        catzip(*words, "--seed", seed, cwd=folder, env=images).stdout for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first.startswith(b"\x89PNG")


def test_a_model_card_shows_shape_and_budgets():
    shown = list(lines({"shape": [32, 32, 3], "budgets": [5, 768], "parameters": 1234567}))
    assert shown == ["shape       32, 32, 3", "budgets     5, 768", "parameters  1,234,567"]

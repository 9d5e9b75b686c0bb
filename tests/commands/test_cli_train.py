"""`catzip train`: a recipe file in, weights and a loss log out, and on from there."""

import json

import pytest
from clitools import catzip

RECIPE = """
name = "tiny"
family = "autoregressive"
medium = "text27"
about = "a test"
data = [{ path = "a.txt", share = 1, stop = -9000 }]
validation = [{ path = "a.txt", share = 1, start = -9000 }]
[model]
alphabet = 27
width = 32
state = 32
depth = 1
hidden = 0
embed = 16
ngrams = [[1, 8], [2, 8]]
[coding]
orders = [1, 2]
bits = 14
limit = 60
rate = 28000
start = 12000
[schedule]
minutes = 1
groups = 1
lanes = 4
steps = 32
learning_rate = 3e-3
"""


@pytest.mark.slow
def test_train_writes_weights_and_a_log_and_resumes(tmp_path):
    (tmp_path / "a.txt").write_text("so it goes and so it went and so it will go on. " * 400)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    words = ["train", "tiny.toml", "--data", ".", "--out", "out"]
    done = catzip(*words, "--minutes", "0.02", "--resume", cwd=tmp_path)
    assert "catzip: out: no run to go on with; a new one starts" in done.stderr
    assert "out/tiny.safetensors: trained" in done.stderr
    assert (tmp_path / "out" / "tiny.safetensors").stat().st_size > 1000
    done = catzip(*words, "--minutes", "0.04", cwd=tmp_path, code=1)
    assert done.stderr == "catzip: out holds a run; go on with --resume, or give another --out\n"
    done = catzip(*words, "--minutes", "0.04", "--resume", cwd=tmp_path)
    assert "no run" not in done.stderr
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] > log[0]["step"] > 0
    assert log[-1]["validation"] < 8

    (tmp_path / "tiny.toml").write_text(RECIPE.replace("depth = 1", "depth = 2"))
    words = ["train", "tiny.toml", "--data", ".", "--out", "deeper", "--minutes", "0.02", "--from"]
    done = catzip(*words, "nowhere", cwd=tmp_path, code=1)
    assert done.stderr.startswith(
        "catzip: nowhere: no folder of a run and no .safetensors file to begin from, and no "
    )
    catzip(*words, "out/tiny.safetensors", "--out", "deeper-from-weights", cwd=tmp_path)
    catzip(*words, "out", cwd=tmp_path)
    info = catzip("models", "info", "deeper/tiny.safetensors", cwd=tmp_path).stdout.decode()
    before = f"after {log[-1]['symbols']:,} in another run"
    assert before in info
    # A run that goes on has begun already: what --from names need not be there any more.
    words[words.index("0.02")] = "0.04"
    catzip(*words, "nowhere", "--resume", cwd=tmp_path)
    assert before in catzip("models", "info", "deeper/tiny.safetensors", cwd=tmp_path).stdout.decode()


def test_train_names_missing_data(tmp_path):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    done = catzip("train", "tiny.toml", "--data", ".", cwd=tmp_path, code=1)
    assert done.stderr.startswith("catzip: a.txt: no such training file")


def test_train_needs_a_data_folder(tmp_path):
    catzip("train", "tiny.toml", "--data", "no-such-folder", cwd=tmp_path, code=2)

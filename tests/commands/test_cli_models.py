"""The shipped models through the command line: lossless, named, interruptible, whatever the threads."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from clitools import catzip, contents, start, wait_for_work
from helpers import TESTS

from catzip.models.backends.workers import Workers
from catzip.models.registry import Registry

BOOK = (TESTS.parent / "examples" / "moby-dick.txt").read_bytes()
PROSE = BOOK[10_000:13_000]
PURE = b"the whale is a spouting fish with a horizontal tail there you have him however contracted " * 20
MODELS = ["ar-bytes", "ar-text8"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(PROSE)
    return tmp_path


def facts(name, folder):
    (found,) = json.loads(catzip("list", "--json", name, cwd=folder).stdout)
    return found


def test_models_lists_what_info_explains(tmp_path):
    table = catzip("models", cwd=tmp_path).stdout.decode()
    assert catzip("models", "list", cwd=tmp_path).stdout.decode() == table
    listed = json.loads(catzip("models", "list", "--json", cwd=tmp_path).stdout)
    assert set(MODELS) <= {model["name"] for model in listed}
    for model in listed:
        assert model["name"] in table
        assert json.loads(catzip("models", "info", model["name"], "--json", cwd=tmp_path).stdout) == model
    assert (
        listed[0]["fingerprint"] in catzip("models", "info", listed[0]["name"], cwd=tmp_path).stdout.decode()
    )


def test_a_damaged_model_hides_no_others(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    done = catzip("models", cwd=tmp_path, env={**os.environ, "CATZIP_MODELS": str(tmp_path)})
    assert "ar-bytes" in done.stdout.decode() and "broken.safetensors: not a catzip weight" in done.stderr


def test_an_unknown_model_is_named(tmp_path):
    assert "no-such-model" in catzip("models", "info", "no-such-model", cwd=tmp_path, code=1).stderr


@pytest.mark.parametrize("model", MODELS)
def test_any_bytes_survive_any_model(model, folder):
    data = PROSE[:1500] + bytes(range(256)) + b"\r\n\r\n"
    packed = catzip("compress", "-m", model, cwd=folder, stdin=data).stdout
    assert catzip("decompress", cwd=folder, stdin=packed).stdout == data


def test_prose_is_coded_with_a_network_unless_told_otherwise(folder):
    catzip("compress", "a.txt", cwd=folder)
    found = facts("a.txt.catz", folder)
    (frame,) = found["frames"]
    assert (frame["kind"], frame["model"]) == ("coded", "ar-bytes")
    assert found["models"] == [{"name": "ar-bytes", "fingerprint": frame["fingerprint"]}]
    assert frame["bits_per_symbol"] < 4


def test_threads_and_device_do_not_change_the_bytes(folder):
    data = BOOK[10_000:40_000]
    (lanes, _) = Registry().by_name("ar-bytes").plan(len(data))
    assert len(Workers(2).groups(lanes)) == 2
    (folder / "a.txt").write_bytes(data)
    runs = (["-T", "1"], ["-T", "2"], ["-T", "0", "--device", "cpu"])
    first, *others = (catzip("compress", "-c", "a.txt", *run, cwd=folder).stdout for run in runs)
    assert all(other == first for other in others)
    assert catzip("cat", "-T", "2", cwd=folder, stdin=first).stdout == data


def test_the_cost_of_corrections_is_told_when_asked(folder):
    (folder / "pure.txt").write_bytes(PURE)
    prose = catzip("compress", "-v", "-m", "ar-text8", "a.txt", cwd=folder).stderr
    assert "ar-text8: " in prose and "bits per symbol" in prose
    cost = facts("a.txt.catz", folder)["side"]
    assert f"beside the model's symbols: {cost} bytes" in prose
    pure = catzip("compress", "-v", "-m", "ar-text8", "pure.txt", cwd=folder).stderr
    assert "corrections" not in pure


def test_rm_verifies_what_a_network_coded(folder):
    catzip("compress", "--rm", "a.txt", cwd=folder)
    assert set(contents(folder)) == {"a.txt.catz"}
    assert catzip("cat", "a.txt.catz", cwd=folder).stdout == PROSE


@pytest.mark.parametrize("command", ["decompress", "test"])
def test_a_model_that_is_not_installed(command, folder):
    catzip("compress", "--rm", "a.txt", cwd=folder)
    packed = bytearray((folder / "a.txt.catz").read_bytes())
    fingerprint = bytes.fromhex(facts("a.txt.catz", folder)["models"][0]["fingerprint"])
    place = packed.index(fingerprint)
    packed[place] ^= 1
    (folder / "a.txt.catz").write_bytes(packed)
    before = contents(folder)
    done = catzip(command, "a.txt.catz", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: a.txt.catz: ")
    assert packed[place : place + 8].hex() in done.stderr
    assert contents(folder) == before
    assert facts("a.txt.catz", folder)["models"][0]["name"] is None


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_bit_in_a_coded_frame(place, folder):
    catzip("compress", "--rm", "a.txt", cwd=folder)
    packed = bytearray((folder / "a.txt.catz").read_bytes())
    packed[int(len(packed) * place)] ^= 1
    (folder / "a.txt.catz").write_bytes(packed)
    before = contents(folder)
    assert "catzip: a.txt.catz: " in catzip("decompress", "a.txt.catz", cwd=folder, code=1).stderr
    assert contents(folder) == before


def test_a_signal_while_a_network_runs(folder):
    (folder / "book").write_bytes(BOOK * 4)
    before = contents(folder)
    child = start("compress", "--rm", "-m", "ar-bytes", "book", cwd=folder)
    wait_for_work(child, folder)
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT
    assert contents(folder) == before


def test_bench_measures_a_file(folder):
    words = [
        "bench",
        "--dataset",
        "a.txt",
        "-m",
        "ar-bytes",
        "--peers",
        "--limit",
        2000,
        "--json",
        "out.json",
    ]
    table = catzip(*words, cwd=folder).stdout.decode()
    assert "ar-bytes" in table and "xz" in table
    assert json.loads((folder / "out.json").read_text())["datasets"]["a.txt"]["bytes"] == 2000


def test_bench_names_data_that_is_missing(tmp_path):
    assert "no-such-set" in catzip("bench", "--dataset", "no-such-set", cwd=tmp_path, code=1).stderr


def without_torch(*arguments, cwd, **options):
    """Run the command line in a process that cannot import torch."""
    code = "import sys; sys.modules['torch'] = None; from catzip.cli import main; main()"
    words = [sys.executable, "-c", code, *arguments]
    return subprocess.run(words, cwd=cwd, capture_output=True, timeout=120, **options)


def test_networks_run_without_torch_and_training_says_that_it_needs_it(folder):
    packed = without_torch("compress", "-m", "ar-bytes", "--device", "cpu", cwd=folder, input=PROSE)
    assert without_torch("decompress", cwd=folder, input=packed.stdout).stdout == PROSE
    done = without_torch("train", "ar-bytes", "--data", ".", cwd=folder)
    assert done.returncode == 1
    assert b"catzip: training needs torch. Install it: pip install 'catzip[torch]'" in done.stderr


def test_train_names_a_missing_recipe(tmp_path):
    done = catzip("train", "no-such-recipe", "--data", ".", cwd=tmp_path, code=1)
    assert done.stderr.startswith("catzip: ") and "no-such-recipe" in done.stderr

"""A weight file may say what it likes: nothing but errors of catzip's own, in little time and memory; nothing is waited
for; and only those meet the error who ask for that file."""

import json
import os
import shutil
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clitools import catzip, need_permissions, without_root_powers
from hostile_weights import file_of, nested, packed
from tiny_models import SHIPPED, tiny_checkpoint, tiny_path

from catzip.compressor.coding.model import Model
from catzip.compressor.errors import CatzipError, CorruptError
from catzip.models import checkpoint
from catzip.models.checkpoint import Checkpoint, canonical_json
from catzip.models.header import LONGEST, opened, read_header
from catzip.models.registry import WEIGHTS, Registry

NETWORKS = (
    "letters-refined",
    "bytes-mlp",
    "letter-chunks-deep",
    "images-upscale-fine",
    "flow-coupled",
    "flow-array",
)
LETTERS = tiny_checkpoint("letters")


@pytest.mark.parametrize("name", NETWORKS)
def test_changed_files_are_refused_or_code(name: str, tmp_path: Path):
    """A hundred changes of each network: what loads codes what it is given."""
    path, random = tmp_path / "it.safetensors", np.random.RandomState(5)
    loaded: list[Model] = []
    for _ in range(100):
        path.write_bytes(file_of(tiny_checkpoint(name), random))
        models = Registry("cpu", threads=1)
        for ask in (models.info, lambda path, models=models: loaded.append(models.by_name(path))):
            try:
                ask(str(path))
            except CatzipError as error:
                assert str(path) in str(error) and len(str(error)) < 1000
    assert loaded
    for found in loaded[:6]:
        symbols = np.zeros(int(np.prod(found.shape or (40,))), np.uint8)
        plan = found.plan(len(symbols))
        stacks = list(found.encode(symbols, plan))
        assert np.array_equal(found.decode(iter(stacks), len(symbols), plan), symbols)


def with_config(**changes: object) -> bytes:
    """The tiny model of letters with other tables, under its right fingerprint."""
    config = json.loads(canonical_json(LETTERS.config)) | changes
    return file_of(Checkpoint(config, LETTERS.arrays))


def with_model(**changes: object) -> bytes:
    return with_config(model=json.loads(canonical_json(LETTERS.config["model"])) | changes)


def with_coding(**changes: object) -> bytes:
    return with_config(coding=LETTERS.config["coding"] | changes)


def with_array(name: str, array: np.ndarray) -> bytes:
    return file_of(Checkpoint(LETTERS.config, LETTERS.arrays | {name: array}))


def filled(name: str, value: int) -> bytes:
    return with_array(name, np.full_like(LETTERS.arrays[name], value))


WRONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "shorter than its header"),
    "a header beyond the file": (lambda: (1 << 40).to_bytes(8, "little") + b"{}", "shorter than its header"),
    "a header of megabytes": (
        lambda: (LONGEST + 1).to_bytes(8, "little") + b" " * (LONGEST + 1),
        "its header has 1048577 bytes",
    ),
    "a nested header": (
        lambda: len(nested(10**5)).to_bytes(8, "little") + nested(10**5).encode(),
        "its header is nested too deeply",
    ),
    "a nested configuration": (lambda: packed({}, nested(10**5)), "its configuration is nested too deeply"),
    "a list for a configuration": (lambda: packed({}, "[]"), "its configuration is no JSON object"),
    "a list for a model": (
        lambda: with_config(model=[]),
        "its configuration.model: Expected `object`, got `array`",
    ),
    "a list for coding": (lambda: with_config(coding=[]), "coding: Expected `object`, got `array`"),
    "no name": (lambda: with_config(name=None), "name: Expected `str`, got `null`"),
    "no medium that there is": (lambda: with_config(medium="smell"), "no medium 'smell'"),
    "a medium with other symbols": (
        lambda: with_config(medium="bytes"),
        "an alphabet of 27 is not that of bytes",
    ),
    "a size that is text": (lambda: with_model(width="16"), r"model.width: Expected `int`, got `str`"),
    "a size that is true": (lambda: with_model(width=True), r"model.width: Expected `int`, got `bool`"),
    "a size beyond any": (lambda: with_model(depth=10**9), r"model.depth: Expected `int` <= 64"),
    "a size beyond any number": (lambda: with_model(depth=10**30), r"model.depth: Expected `int` <= 64"),
    "a context beyond what is packed": (
        lambda: with_model(ngrams=[[9, 8]]),
        r"model.ngrams\[0\]\[0\]: Expected",
    ),
    "a table too short": (lambda: with_model(ngrams=[[1, 4], [2, 6]]), "a row for each of 27 symbols"),
    "counters beyond memory": (
        lambda: with_coding(orders=[1] * 8, bits=26),
        "contexts of 2\\*\\*26 counters",
    ),
    "lanes beyond any": (lambda: with_coding(lanes=10**18), "coding.lanes: Expected `int` <= 65536"),
    "a tensor missing": (
        lambda: file_of(Checkpoint(LETTERS.config, {k: v for k, v in LETTERS.arrays.items() if k != "exp"})),
        "it has no tensor exp",
    ),
    "a tensor too many": (lambda: with_array("more", np.zeros(3, np.int8)), "it has a tensor 'more'"),
    "a tensor of another type": (
        lambda: with_array("head.bias", LETTERS.arrays["head.bias"].astype(np.int16)),
        r"its tensor head.bias is int16 \[27\], and has to be int32 \[27\]",
    ),
    "a tensor of another shape": (
        lambda: with_array("head.bias", LETTERS.arrays["head.bias"][:-1]),
        r"its tensor head.bias is int32 \[26\], and has to be int32 \[27\]",
    ),
    "weights of 8 bits": (lambda: filled("head.weight", 64), "head: a weight must be int8"),
    "the code -128": (lambda: filled("match.table", -128), r"match.table must be int8 in -127\.\.127"),
    "exponents beyond float32": (lambda: filled("head.exponent", -128), "head: an exponent is too large"),
    "a bias beyond float32": (lambda: filled("head.bias", 2**31 - 1), "head: a bias is too large"),
    "gates beyond 1": (lambda: filled("sigmoid", 5000), r"sigmoid must be in 0\.\.4096"),
    "no exponential": (lambda: filled("exp", 0), "exp must be in"),
    "a negative exponential": (lambda: filled("exp", -1), "exp must be in"),
    "no probability": (lambda: filled("squash", 0), "squash must be 1 or more"),
    "a stretch beyond the table": (lambda: filled("stretch", 32767), "stretch must be in"),
    "counters that leave their bits": (lambda: filled("adapt", 1 << 16), "adapt must be in"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_cannot_be_is_named_before_anything_large_is_made(fault: str, tmp_path: Path):
    make, message = WRONG[fault]
    path = tmp_path / "it.safetensors"
    path.write_bytes(make())
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(CorruptError, match=rf"it\.safetensors: not .*{message}"):
            Registry("cpu", threads=1).by_name(str(path))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
        assert time.process_time() - start < 5
    finally:
        tracemalloc.stop()


CARDS = {
    "a list": [],
    "a number for what it is about": {"about": 5},
    "text for bits": {"validation_bits": "low"},
    "data that is no list": {"data": 3},
    "a training without a date": {"trained": {"symbols": 5, "minutes": 1.0, "device": "x"}},
    "a training before that is text": {
        "trained": {"date": "x", "symbols": 5, "minutes": 1.0, "device": "x", "before": "long ago"}
    },
}


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_data(card: str, tmp_path: Path):
    """Who asks for what it says is told what is wrong; who decodes does not need it."""
    path = tmp_path / "it.safetensors"
    path.write_bytes(with_config(card=CARDS[card]))
    with pytest.raises(CorruptError, match=r"it\.safetensors: .*card"):
        Registry("cpu").info(str(path))
    assert Registry("cpu").by_name(str(path)).fingerprint == LETTERS.fingerprint


def place_fifo(path: Path) -> None:
    os.mkfifo(path)


PLACES: dict[str, Callable[[Path], object]] = {
    "fifo": place_fifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
    "dangling": lambda path: path.symlink_to("nothing"),
    "loop": lambda path: path.symlink_to(path),
    "nested": lambda path: path.write_bytes(packed({}, nested(10**5))),
    "listed": lambda path: path.write_bytes(with_config(model=[])),
    "hollow": lambda path: path.write_bytes(with_array("more", np.zeros(3, np.int8))),
}
"""What may be called like a weight file, and is none."""


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_no_weight_file_is_never_waited_for(kind: str, tmp_path: Path):
    PLACES[kind](path := tmp_path / f"{kind}.safetensors")
    with pytest.raises(CatzipError, match=kind):
        Registry("cpu").by_name(str(path))


@pytest.fixture
def cluttered(tmp_path: Path) -> Path:
    """A folder of CATZIP_MODELS with one of each, and a sound model."""
    folder = tmp_path / "models"
    folder.mkdir()
    for kind, place in PLACES.items():
        place(folder / f"{kind}.safetensors")
    shutil.copy(tiny_path("letters"), folder / "letters.safetensors")
    return folder


def test_bad_files_affect_only_those_who_ask_for_them(cluttered: Path, tmp_path: Path):
    """Through the command: one line for each on stderr, and all goes on."""
    env = {**os.environ, "CATZIP_MODELS": str(cluttered)}
    (tmp_path / "a.txt").write_bytes(b"so it goes, said the cat, and went. " * 20)
    catzip("compress", "a.txt", cwd=tmp_path)
    for command in (["models"], ["list", "a.txt.catz"], ["compress", "-c", "a.txt"], ["test", "a.txt.catz"]):
        done = catzip(*command, cwd=tmp_path, env=env)
        for kind in PLACES:
            lines = [line for line in done.stderr.splitlines() if f"{kind}.safetensors: " in line]
            assert len(lines) == (1 if kind != "hollow" or command == ["models"] else 0), done.stderr
        if command == ["models"]:
            rows = {line.split()[0]: line for line in done.stdout.decode().splitlines()}
            assert set(PLACES) < rows.keys() and set(SHIPPED) < rows.keys()
            assert all(rows[kind].split()[1] == "damaged" for kind in PLACES)
            assert LETTERS.fingerprint.hex() in rows["letters"]
    done = catzip("compress", "-c", "-m", "fifo", "a.txt", cwd=tmp_path, env=env, code=1)
    assert "fifo.safetensors: not a catzip weight file (it is no regular file)" in done.stderr
    assert (
        "not the weights of a model"
        in catzip("models", "info", "hollow", cwd=tmp_path, env=env, code=1).stderr
    )


def test_a_damaged_model_does_not_hide_the_default(tmp_path: Path):
    """Nobody asked for the file in CATZIP_MODELS; whoever does is told. Its header is sound, its content is not."""
    folder = tmp_path / "models"
    folder.mkdir()
    data = bytearray((WEIGHTS / "ar-bytes-s.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "ar-bytes-s.safetensors").write_bytes(data)
    env = {**os.environ, "CATZIP_MODELS": str(folder)}
    (tmp_path / "a.txt").write_bytes(b"So it goes, said the cat, and went. " * 20)
    done = catzip("compress", "--fast", "a.txt", cwd=tmp_path, env=env)
    assert done.stderr.count("do not have the fingerprint they claim") == 1 and "passed over" in done.stderr
    assert catzip("compress", "-c", "-m", "ar-bytes-s", "a.txt", cwd=tmp_path, env=env, code=1)
    assert catzip("decompress", "-c", "a.txt.catz", cwd=tmp_path).stdout == (tmp_path / "a.txt").read_bytes()


def test_an_unreadable_file_is_passed_over(tmp_path: Path):
    need_permissions(tmp_path)
    (tmp_path / "secret.safetensors").touch(0o000)
    env = {**os.environ, "CATZIP_MODELS": str(tmp_path)}
    done = catzip("models", cwd=tmp_path, env=env, preexec_fn=without_root_powers)
    assert done.stderr.count("secret.safetensors: not a catzip weight file ([Errno 13]") == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_headers_are_read_as_safetensors_reads_them(name: str):
    from safetensors import safe_open

    path = WEIGHTS / f"{name}.safetensors"
    with opened(path) as file:
        header = read_header(file)
    arrays = checkpoint.load(path).arrays
    with safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == header.tensors.keys() == arrays.keys()
        assert file.metadata() == header.metadata
        for key in file.keys():  # noqa: SIM118
            assert np.array_equal(file.get_tensor(key), arrays[key])
            assert file.get_tensor(key).dtype == arrays[key].dtype == header.tensors[key].dtype


def test_no_warning_is_about_sound_files(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Registry("cpu").purposes() and Registry("cpu").names()

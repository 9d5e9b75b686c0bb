"""Measuring a command: real files, real processes, compared bytes."""

import io
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import golden_networks
import numpy as np
import pytest
from helpers import MODELS, TESTS, TEXT, ItemModel, compress, decompress

from catzip.benchmarks.data.dataset import Dataset
from catzip.benchmarks.measuring import measure
from catzip.benchmarks.measuring.measure import DEFAULTS, Measurement, MeasurementError, MeasureSettings
from catzip.benchmarks.measuring.overhear import decoded_symbols
from catzip.benchmarks.tables.joined import joined
from catzip.compressor.media import MEDIA
from catzip.compressor.pipeline import list_frames
from catzip.models import checkpoint
from catzip.models.registry import Registry

# The two commands as the measurement calls them, with the models of the tests.
COMMAND = """
import sys
sys.path.insert(0, {tests!r})
import helpers
verb, quiet, *words = sys.argv[1:]
sources = [word for word in words if word.startswith("/")]
options = [word for word in words if word not in sources]
named = dict(zip(options[::2], options[1::2]))
model, steps = named.get("-m"), named.get("--steps")
for source in sources:
    data = open(source, "rb").read()
    if verb == "compress":
        done = helpers.compress(data, model=model, steps=steps and int(steps))
        open(source + ".catz", "wb").write(done)
    else:
        open(source.removesuffix(".catz"), "wb").write(helpers.decompress(data)[{skip}:])
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the command line that knows the models of the tests."""
    path = tmp_path / "command.py"
    path.write_text(COMMAND.format(tests=str(TESTS), skip="0"))
    monkeypatch.setattr(measure, "_COMMAND", (sys.executable, str(path)))
    monkeypatch.setattr(measure, "_FORCED", (sys.executable, str(path), "compress", "-q"))
    return path


def test_result_is_of_a_real_file(command: Path) -> None:
    data = TEXT.encode()
    result = measure.measure(Measurement(Dataset("text", data, ""), "table-bytes"), MODELS, DEFAULTS)
    assert (result.dataset, result.system, result.outcome) == ("text", "table-bytes", "")
    assert result.symbols == result.original_bytes == len(data)
    assert result.compressed_bytes is not None and result.gap_percent is not None
    assert 0 < result.compressed_bytes < len(data)
    assert result.gap_percent > 0
    assert result.compress_s is not None and result.compress_s > 0.01
    assert result.peak_memory_bytes is not None and 5 << 20 < result.peak_memory_bytes < 1 << 30
    assert result.models == {"table-bytes": MODELS.by_name("table-bytes").fingerprint.hex()}


def test_the_likelihood_can_be_left_out(command: Path) -> None:
    task = Measurement(Dataset("text", TEXT.encode(), ""), "table-bytes")
    with_it, without = (measure.measure(task, MODELS, MeasureSettings(nll=nll)) for nll in (True, False))
    assert with_it.nll_bits is not None and without.nll_bits is None and without.gap_percent is None
    assert without.compressed_bytes == with_it.compressed_bytes and without.models == with_it.models


def test_fallback_is_said(command: Path) -> None:
    noise = Dataset("noise", random.Random(2).randbytes(500), "")
    result = measure.measure(Measurement(noise), MODELS, DEFAULTS)
    assert (result.system, result.outcome) == ("default", " (stored)")
    assert result.nll_bits is None and result.gap_percent is None


def test_other_bytes_are_an_error(command: Path) -> None:
    command.write_text(command.read_text().replace("(data)[0:]", "(data)[1:]"))
    with pytest.raises(MeasurementError, match="text, model table-bytes: came back different"):
        measure.measure(Measurement(Dataset("text", TEXT.encode(), ""), "table-bytes"), MODELS, DEFAULTS)


def test_a_model_that_loses_to_xz_is_coded_with(tmp_path: Path) -> None:
    """By the command for measurements alone; its files are ordinary ones."""
    weights, text = tmp_path / "tiny-bytes.safetensors", b"the cat sat on the mat " * 200
    checkpoint.save(weights, golden_networks.weights("tiny-bytes"))
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(text)
    found = {}
    for way in (measure._FORCED, (*measure._COMMAND, "compress")):
        words = ["-m", str(weights), "-T", "1", "--device", "cpu", str(tmp_path / "a"), str(tmp_path / "b")]
        subprocess.run([*way, *words], check=True, capture_output=True)
        files = [(tmp_path / f"{name}.catz").read_bytes() for name in ("a", "b")]
        for name in ("a", "b"):
            (tmp_path / f"{name}.catz").unlink()
        registry = Registry(device="cpu", threads=1)
        registry.by_name(str(weights))
        assert [decompress(file, registry) for file in files] == [text, text]
        found[way] = [frame.kind for frame in list_frames(io.BytesIO(files[0])).frames]
    assert list(found.values()) == [["coded"], ["xz"]]


def test_failing_command_is_an_error(command: Path) -> None:
    with pytest.raises(MeasurementError, match=r"(?s)catzip compress failed: .*no model absent"):
        measure.measure(Measurement(Dataset("text", TEXT.encode(), ""), "absent"), MODELS, DEFAULTS)


def items(*shape: int) -> Dataset:
    """Letters in an array."""
    letters = random.Random(3).choices(TEXT.encode(), k=int(np.prod(shape)))
    return Dataset.of_items("items", np.array(letters, np.uint8).reshape(shape), "")


@pytest.mark.parametrize(("steps", "found"), [(None, 3), (3, 3), (12, 12)])
def test_steps_are_those_of_the_file(steps: int | None, found: int, command: Path) -> None:
    result = measure.measure(Measurement(items(30, 4, 3), "table-array", steps), MODELS, DEFAULTS)
    assert (result.steps, result.label) == (found, f"table-array, {found} steps")
    assert result.dimensions == result.symbols == 360 and result.original_bytes == 360 + 128
    assert result.rate is not None and result.compressed_bytes is not None
    assert result.rate == pytest.approx(8 * result.compressed_bytes / 360)


def test_single_items_are_files_of_their_own(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the NLL of the model by the container, the header of the array in it, and the ends of stacks."""
    monkeypatch.setattr(ItemModel, "shape", (40, 30))
    command.write_text(command.read_text().replace("verb,", "helpers.ItemModel.shape = (40, 30)\nverb,", 1))
    long = items(5, 40, 30)
    result = measure.measure(Measurement(long, "table-array", 3, singles=range(4)), MODELS, DEFAULTS)
    whole = measure.measure(Measurement(long.first(4), "table-array", 3), MODELS, DEFAULTS)
    assert result.files == 4 and result.frames == {"coded": 4}
    assert result.label == "table-array, 3 steps, first 4 items, a file each"
    assert result.dimensions == 4 * 1200 and result.original_bytes == 4 * (1200 + 128)
    assert result.nll_bits == pytest.approx(whole.nll_bits)
    assert result.compressed_bytes is not None and result.container_bytes is not None
    assert result.coded_bytes is not None and result.nll_bits is not None
    assert (
        0 < 8 * result.coded_bytes - result.nll_bits < 4 * 10 * (64 + 8)
    )  # each of 10 stacks: up to two words, a length
    assert 40 < result.container_bytes < 160
    parts = [
        measure.measure(Measurement(long, "table-array", 3, part), MODELS, DEFAULTS)
        for part in (range(1), range(1, 4))
    ]
    assert [(part.first, part.files) for part in parts] == [(0, 1), (1, 3)]
    assert parts[1].label == "table-array, 3 steps, items 1 to 3, a file each"
    ((whole, _),) = joined([(part, "cpu") for part in reversed(parts)])
    assert whole.nll_bits == pytest.approx(result.nll_bits)
    measured_anew = {"compress_s": 0, "decompress_s": 0, "peak_memory_bytes": 0, "nll_bits": 0}
    assert replace(whole, **measured_anew) == replace(result, **measured_anew)


PICTURES = """
import io
import sys
sys.path.insert(0, {tests!r})
import helpers
from PIL import Image
verb, *words = sys.argv[1:]
name = words[-1]
data = open(name, "rb").read()
out = io.BytesIO()
if verb == "compress":
    Image.open(io.BytesIO(data)).save(out, "PPM")
    open(name + ".catz", "wb").write(helpers.compress(out.getvalue(), model="table-bytes"))
else:
    Image.open(io.BytesIO(helpers.decompress(data))).point(lambda x: x + {added}).save(out, "PNG", optimize=True)
    open(name.removesuffix(".catz"), "wb").write(out.getvalue())
"""


@pytest.mark.parametrize("added", [0, 1])
def test_an_image_may_come_back_packed_in_another_way(command: Path, added: int) -> None:
    """A stand-in that codes what is in a PNG: the NLL is that of what it coded, and the pixels are compared."""
    images = pytest.importorskip("PIL.Image")
    command.write_text(PICTURES.format(tests=str(TESTS), added=added))
    letters = random.Random(4).choices(TEXT.encode(), k=20 * 30 * 3)
    out = io.BytesIO()
    images.frombytes("RGB", (30, 20), bytes(letters)).save(out, "PNG", compress_level=1)
    photo = Dataset("photo", out.getvalue(), "", image=(20, 30, 3))
    if added:
        with pytest.raises(MeasurementError, match="photo, model table-bytes: came back different"):
            measure.measure(Measurement(photo, "table-bytes"), MODELS, DEFAULTS)
        return
    result = measure.measure(Measurement(photo, "table-bytes"), MODELS, DEFAULTS)
    assert result.dimensions == len(letters) and result.original_bytes == len(photo.data)
    assert result.symbols == len(letters) + len(b"P6\n30 20\n255\n")
    assert result.gap_percent is not None and 0 < result.gap_percent < 30


def test_symbols_are_heard_frame_by_frame(tmp_path: Path) -> None:
    data = TEXT.lower().encode() * 3
    size = len(TEXT)
    path = tmp_path / "text.catz"
    path.write_bytes(compress(data, model="table-bytes", frame_size=size))
    expected, _ = MEDIA["bytes"].split(data[size : 2 * size])
    with path.open("rb") as src:
        frame = list_frames(src).frames[1]
        assert (decoded_symbols(src, frame, MODELS) == expected).all()


def test_settings_become_options() -> None:
    assert DEFAULTS.options() == []
    assert MeasureSettings(threads=2, device="cpu").options() == ["-T", "2", "--device", "cpu"]


def test_peak_memory_is_the_childs_own(tmp_path: Path) -> None:
    """A child that takes 100 MB shows it; one that does not is unmoved by what this process holds."""
    held = bytearray(200_000_000)
    figures = []
    for size in (0, 100_000_000):
        target = tmp_path / "figures.json"
        clock = [sys.executable, "-I", "-S", str(measure._CLOCKED), str(target)]
        subprocess.run([*clock, sys.executable, "-c", f"x = b'x' * {size}"], check=True)
        figures.append(int(target.read_text().split('"peak_memory_bytes": ')[1].rstrip("}")))
    assert figures[0] < 100_000_000 < figures[1] < len(held)

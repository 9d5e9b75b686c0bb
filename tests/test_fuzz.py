"""The fuzz targets: each passes on its seeds, changes them well, and sees faults that are put in."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fuzz import archive, engine, oracle, run, targets
from fuzz.coded import files
from fuzz.draw import Draw
from fuzz.networks import tiny

from catzip.commands import list as listing
from catzip.compressor import access
from catzip.compressor import decompress as decoder
from catzip.compressor.format import lzma2, writer
from catzip.compressor.format.container import CODED
from catzip.compressor.pipeline import list_frames, verify_stream
from catzip.compressor.recompression import method as recipe
from catzip.models.registry import Registry
from catzip.models.training import recipe as training_recipe

FUZZ = Path(__file__).parent / "fuzz"
CHANGES = 60


def test_every_mended_input_has_its_target():
    assert {path.name for path in targets.GOLDEN.glob("*")} <= set(targets.NAMES)


SLOW = pytest.param("shipped", marks=pytest.mark.slow)
FAST = [name for name in targets.NAMES if name != "shipped"]


@pytest.mark.parametrize("name", [*FAST, SLOW])
def test_a_target_passes_on_its_seeds(name: str):
    target = targets.load(name)
    seeds = target.seeds()
    assert len(seeds) > 5 and all(len(data) <= target.LARGEST for data in seeds.values())
    for seed, data in (seeds | targets.mended(name)).items():
        try:
            target.check(data)
        except Exception as error:
            pytest.fail(f"{seed}: {error!r}")


@pytest.mark.parametrize("name", targets.NAMES)
def test_a_target_changes_its_seeds(name: str):
    target = targets.load(name)
    seeds = list(target.seeds().values())
    made = {target.mutate(Draw(seed).choice(seeds), Draw(seed)) for seed in range(CHANGES)}
    assert len(made - set(seeds)) > CHANGES / 2
    assert target.mutate(seeds[0], Draw(7)) == target.mutate(seeds[0], Draw(7)), "a seed makes other changes"


@pytest.mark.parametrize("name", files())
def test_a_file_is_taken_apart_and_put_together_again(name: str):
    parsed = archive.parse(files()[name])
    assert parsed.to_bytes() == files()[name] and not parsed.rest
    for frame in parsed.frames:
        before = frame.check
        frame.check = bytes(8)
        frame.correct(tiny())
        assert frame.check == before
        if frame.kind == CODED:
            parts = archive.Coded.of(frame.payload, frame.length, tiny(), frame.fingerprint)
            assert parts is not None and parts.to_bytes() == frame.payload


def test_changed_files_get_behind_the_checksums():
    """Hardly one of the files that are changed at random decodes."""
    target, seeds = targets.load("decoding"), list(files().values())
    decoded = listed = 0
    for seed in range(CHANGES):
        blob = io.BytesIO(target.mutate(Draw(seed).choice(seeds), Draw(seed)))
        listed += not isinstance(oracle.outcome(list_frames, blob), Exception)
        blob.seek(0)
        decoded += not isinstance(oracle.outcome(verify_stream, blob, models=tiny()), Exception)
    assert listed > CHANGES / 3 and decoded > CHANGES / 10


def broken(*given: object, **named: object) -> bytes:
    raise KeyError("planted")


FAULTS = {
    "decoding": (decoder.payload, "unpack_side", broken),
    "listing": (listing, "table", lambda facts, verbose: "\x1b[2J"),
    "ranges": (access._Window, "write", lambda window, data: window.data.extend(data[1:])),
    "shipped": (decoder.payload, "unpack_front", broken),
    "weights": (Registry, "purposes", broken),
    "recipes": (training_recipe, "load", broken),
    "unpacking": (recipe, "pack", broken),
    "packing": (recipe, "pack", broken),
    "compressing": (lzma2, "decompress", broken),
}
"""A fault for each target: what is replaced, and by what."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_target_sees_a_fault(name: str, monkeypatch: pytest.MonkeyPatch):
    target = targets.load(name)
    seeds = list(target.seeds().values())
    where, what, fault = FAULTS[name]
    monkeypatch.setattr(where, what, fault)
    found = (oracle.finding(target.check, data) for data in seeds)
    error = next(each for each in found if each is not None)
    assert oracle.signature(error)


def test_other_bytes_are_seen_though_their_checksum_agrees(monkeypatch: pytest.MonkeyPatch):
    target, right = targets.load("compressing"), lzma2.decompress
    data = target.seeds()["lines"]
    for module in (decoder, writer):
        monkeypatch.setattr(module, "checksum", lambda content: bytes(8))
    assert oracle.finding(target.check, data) is None
    monkeypatch.setattr(lzma2, "decompress", lambda stream, length: right(stream, length)[::-1])
    assert oracle.signature(oracle.finding(target.check, data)) == "BrokenPromise content does not come back"


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch):
    def endless(data: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(oracle, "SECONDS", 0.05)
    assert isinstance(oracle.finding(endless, b""), oracle.TooLong)


def test_each_outcome_has_the_time_of_an_input(monkeypatch: pytest.MonkeyPatch):
    def work(seconds: float) -> None:
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass

    monkeypatch.setattr(oracle, "SECONDS", 0.4)
    assert oracle.finding(lambda data: [oracle.outcome(work, 0.2) for _ in range(5)], b"") is None
    found = oracle.finding(lambda data: [oracle.outcome(work, each) for each in (0.2, 2)], b"")
    assert isinstance(found, oracle.TooLong)


def test_memory_is_bounded():
    take = f"import sys; sys.path.insert(0, {str(FUZZ.parent)!r}); from fuzz import oracle; oracle.MEMORY = 256 << 20; "
    check = "print(*(type(oracle.finding(lambda data: b'x' * n, b'')).__name__ for n in (1, 300 << 20, 1)))"
    done = subprocess.run([sys.executable, "-c", take + check], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["NoneType", "TooLarge", "NoneType"], done.stderr


@pytest.mark.parametrize("later, found", [(3 << 30, False), ((3 << 30) + 1, True)])
def test_memory_that_was_taken_earlier_is_not_held_against_an_input(
    later: int, found: bool, monkeypatch: pytest.MonkeyPatch
):
    readings = [3 << 30, 3 << 30, later]  # of a system that does not forget the peak
    monkeypatch.setattr(oracle, "peak_memory", lambda: readings.pop(0))
    monkeypatch.setattr(Path, "write_text", lambda path, text: None)
    assert isinstance(oracle.finding(len, b""), oracle.TooLarge) is found


def test_one_input_is_kept_for_each_cause(tmp_path: Path):
    class Target:
        LARGEST = 9

        def check(self, data: bytes) -> None:
            oracle.expect(data != b"a", "it is a")
            oracle.expect(data < b"b", "it is more than b")

    keeper = engine.Keeper(Target(), tmp_path)
    for data in (b"a", b"0", b"b", b"c"):
        keeper.run(data)
    kept = {path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".txt"}
    assert kept == {b"a", b"b"} and len(list(tmp_path.glob("*.txt"))) == 2


@pytest.mark.parametrize("code", [0, 1])
def test_findings_stay_until_they_are_mended(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script, found = tmp_path / "one.py", tmp_path / "findings" / "KeyError-12345678"
    script.write_text(f"print('nothing, or something'); raise SystemExit({code})")
    found.parent.mkdir()
    found.write_bytes(b"input")
    found.with_suffix(".txt").write_text("why")
    monkeypatch.setattr(run, "ONE", script)
    told = run._confirmed("decoding", found.parent)
    assert len(told) == code and found.exists() == bool(code)
    assert code == 0 or f"one.py decoding {found}" in told[0]


def test_without_atheris_inputs_are_changed_at_random(tmp_path: Path):
    hide = "import importlib.util as util; util.find_spec = lambda name: None"
    start = f"{hide}; import runpy; runpy.run_path({str(FUZZ / 'one.py')!r}, run_name='__main__')"
    for folder in ("corpus", "findings"):
        (tmp_path / folder).mkdir()
    words = [sys.executable, "-c", start, "listing", "--seconds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    tally = run.Tally("listing", 1.0)
    tally.add(done.stdout + done.stderr)
    assert done.returncode == 0 and tally.executions > 10 and not list((tmp_path / "findings").iterdir())


def test_the_runner_fuzzes_and_gives_its_exit_code(tmp_path: Path):
    words = [sys.executable, str(FUZZ / "run.py"), "--minutes", "0.02", "--target", "listing"]
    done = subprocess.run([*words, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was found" in done.stdout and (tmp_path / "listing" / "corpus").is_dir()

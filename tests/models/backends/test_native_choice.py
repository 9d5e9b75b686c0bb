"""Which core runs is said and can be chosen; one that differs, or is not there, leaves the work to NumPy."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import native
import numpy as np
import pytest
from clitools import catzip
from golden_networks import FOLDER
from golden_neural_cases import GOOD
from helpers import decompress
from model_laws import coded
from native import ALL
from tiny_models import CONFIGS, mixed_text, tiny_checkpoint, tiny_path

from catzip.compressor.errors import CatzipError
from catzip.compressor.format.interruptible_stack import InterruptibleStack
from catzip.models.backends.native import build, library, trial
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.families.autoregressive import native_frame
from catzip.models.families.autoregressive.native_frame import NativeFrame
from catzip.models.families.autoregressive.native_model import compiled
from catzip.models.families.autoregressive.random import MIXING, random_checkpoint
from catzip.models.registry import Registry

CORES = ("numpy", *ALL)
TEXT = b"a word, and another word, and a third; " * 20


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch):
    """Nothing is remembered of the core, before and after."""
    monkeypatch.delenv("CATZIP_CORE", raising=False)
    monkeypatch.delenv("CATZIP_CORE_ISA", raising=False)
    library.variants.cache_clear()
    library._chosen.cache_clear()
    yield
    library.variants.cache_clear()
    library._chosen.cache_clear()


def set_to(core: str) -> dict[str, str]:
    """The environment in which the command runs on this core."""
    if core != "numpy":
        native.variant(core)  # skips
    chosen = ("numpy", "") if core == "numpy" else ("native", core)
    return {**os.environ, "CATZIP_CORE": chosen[0], "CATZIP_CORE_ISA": chosen[1]}


@pytest.mark.parametrize("core", CORES)
def test_the_command_says_which_core_runs_and_makes_the_same_file(core: str, tmp_path: Path):
    name = "numpy" if core == "numpy" else f"native ({core})"
    environment, weights = set_to(core), tiny_path("bytes-refined")
    assert f"core: {name}" in catzip("--version", cwd=tmp_path, env=environment).stdout.decode()
    shown = catzip("models", "info", weights, cwd=tmp_path, env=environment).stdout.decode()
    assert any(line.split(maxsplit=1) == ["core", name] for line in shown.splitlines())
    (tmp_path / "a").write_bytes(TEXT)
    said = catzip("compress", "-vv", "-m", weights, "a", cwd=tmp_path, env=environment).stderr
    assert f"core: {name}" in said
    catzip("compress", "-m", weights, "-o", "b.catz", "a", cwd=tmp_path, env=set_to("numpy"))
    assert (tmp_path / "a.catz").read_bytes() == (tmp_path / "b.catz").read_bytes()
    environment["CATZIP_MODELS"] = str(weights.parent)
    made = catzip("decompress", "-c", "b.catz", cwd=tmp_path, env=environment)
    assert made.stdout == TEXT


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", [name for name in GOOD if name.startswith(("bytes", "refined", "text27"))])
def test_golden_files_decode_on_every_core(name: str, core: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    with native.chosen(core):
        found = decompress((FOLDER / "good" / f"{name}.catz").read_bytes(), Registry("cpu", threads=2))
    assert found == GOOD[name].content


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"CATZIP_CORE": "fast"}, "CATZIP_CORE=fast: native or numpy is possible"),
        ({"CATZIP_CORE_ISA": "mmx"}, "CATZIP_CORE_ISA=mmx: .* can run here; .* CATZIP_CORE=numpy"),
    ],
)
def test_a_core_that_is_not_there_is_an_error(
    fresh: None, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str], said: str
):
    native.variant("generic")
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CatzipError, match=said):
        library.core()


def test_without_the_shared_object_numpy_runs(fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(build, "NAME", "nothing.so")
    assert library.core() is None and library.described() == "numpy"
    monkeypatch.setenv("CATZIP_CORE", "native")
    with pytest.raises(CatzipError, match="was not compiled when catzip was installed"):
        library.core()


def test_a_core_of_other_sources_does_not_run(fresh: None, monkeypatch: pytest.MonkeyPatch):
    native.variant("generic")
    library.variants.cache_clear()
    monkeypatch.setattr(build, "digest", lambda: "another")
    assert library.core() is None
    monkeypatch.setenv("CATZIP_CORE", "native")
    with pytest.raises(CatzipError, match="compiled from other sources"):
        library.core()


def test_what_is_no_shared_object_does_not_run(fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / build.NAME).write_bytes(b"nonsense")
    monkeypatch.setattr(build, "HERE", tmp_path)
    assert library.core() is None


def test_a_variant_that_differs_is_refused_with_a_warning(fresh: None, monkeypatch: pytest.MonkeyPatch):
    native.variant("generic")
    fast = [name for name, variant in library.variants().items() if variant.in_blocks]
    if not fast:
        pytest.skip("no variant here is faster than NumPy")
    first, *others = fast
    monkeypatch.setattr(trial, "_multiplies", lambda core, *shape: library.name_of(core) != first)
    with pytest.warns(
        RuntimeWarning, match=rf"differs from NumPy on this machine and is not used \({first}\)"
    ):
        found = library.core()
    assert (library.name_of(found) if found else None) == next(iter(others), None)
    library._chosen.cache_clear()
    monkeypatch.setattr(trial, "_normalises", lambda core, width: False)
    with pytest.warns(RuntimeWarning):
        assert library.core() is None


def test_what_numpy_is_faster_than_runs_only_if_asked_for(fresh: None, monkeypatch: pytest.MonkeyPatch):
    """As where a processor has no instructions for products of bytes."""
    generic = native.variant("generic")
    with monkeypatch.context() as patch:
        patch.setattr(library, "variants", lambda: {"generic": generic})
        assert library.core() is None and library.described() == "numpy"
        for setting in ("CATZIP_CORE", "native"), ("CATZIP_CORE_ISA", "generic"):
            with monkeypatch.context() as asked:
                asked.setenv(*setting)
                assert library.described() == "native (generic)"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("broken", ["product", "norm"])
def test_the_trial_notices_a_wrong_kernel(name: str, broken: str):
    """Off by one in the last row, as an instruction that saturates may be."""
    core, wrong = native.variant(name), {}
    for kind in ("product", "norm"):
        original = getattr(core, kind)

        def run(*given, kind: str = kind, original=original) -> None:
            original(*given)
            if kind == broken:
                last = given[4] if kind == "product" else given[3]
                np.ctypeslib.as_array((ctypes.c_uint8 * 1).from_address(last))[:] ^= 1

        wrong[kind] = run
    fake = SimpleNamespace(**wrong, in_blocks=core.in_blocks, masked=core.masked)
    assert trial.check(core) and not trial.check(fake)


def test_it_is_compiled_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CC", "false")
    with pytest.raises(build.BuildError, match="false fails"):
        build.build(tmp_path / "core.so")
    monkeypatch.setenv("CC", "no-such-compiler -x")
    with pytest.raises(build.BuildError, match="there is no C compiler"):
        build.build(tmp_path / "core.so")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_it_compiles_without_a_warning():
    """With all that GCC and Clang know to complain of."""
    units = [str(path) for path in build.sources() if path.suffix == ".c"]
    strict = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror"]
    command = [*build.compiler(), *build.FLAGS[:1], *strict, "-fsyntax-only", *units]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Gone(Exception):
    """Nobody waits for it any more."""


@pytest.mark.parametrize("threads", [1, 3])
def test_decoding_looks_up_often(threads: int, monkeypatch: pytest.MonkeyPatch):
    """At least once in a few thousand symbols, some 50 ms: for signals, and for who watches."""
    native.variant("generic")
    monkeypatch.setattr(native_frame, "_LEAST_WORK", 1)
    sizes, looks = [], []
    for pop in ("_pop_steps", "_pop_step"):
        original = getattr(NativeFrame, pop)
        monkeypatch.setattr(
            NativeFrame,
            pop,
            lambda frame, grid, *rest, original=original: (
                sizes.append(grid.size) or original(frame, grid, *rest)
            ),
        )
    coder = native.model("letters", "generic", threads)
    symbols, plan = mixed_text(27, 30000), (60, 500)
    (segment,) = coded(coder, symbols, plan)
    stack = InterruptibleStack.from_bytes(segment)
    stack.check = lambda: looks.append(1)
    assert np.array_equal(coder.decode(iter([stack]), 30000, plan), symbols)
    assert len(looks) == len(sizes) > 1 and max(sizes) <= 4096


def test_who_watches_can_end_it():
    """What has not been popped is on the stack then."""
    coder, symbols, plan = native.model("letters", "generic"), mixed_text(27, 30000), (30, 1000)
    (segment,) = coded(coder, symbols, plan)
    looks, stack = iter(range(3)), InterruptibleStack.from_bytes(segment)

    def check() -> None:
        if next(looks) == 2:
            raise Gone

    stack.check = check
    with pytest.raises(Gone):
        coder.decode(iter([stack]), 30000, plan)
    left = stack.to_bytes()
    assert 0 < len(left) < len(segment) - 1000


CHANGES = {
    "a sum that leaves int32": ("inputs.exponent", lambda array: array - 40),
    "a gate beyond 1": ("sigmoid", lambda array: array + 9),
    "a short table of gates": ("sigmoid", lambda array: array[1:]),
    "no exponential at all": ("exp", lambda array: array * 0),
    "rows that are missing": ("ngrams.1.table", lambda array: array[1:]),
    "a layer of another width": ("head.weight", lambda array: array[:, 1:]),
}
"""What NumPy copes with in its own way, be it with an error, when it codes."""


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_are_not_safe_for_the_core_are_left_to_numpy(change: str):
    name, changed = CHANGES[change]
    arrays = tiny_checkpoint("letters").arrays
    with native.chosen("generic"):
        assert compiled(CONFIGS["letters"], MIXING, arrays, NumpyArrays())
        assert not compiled(CONFIGS["letters"], MIXING, arrays | {name: changed(arrays[name])}, NumpyArrays())


def test_what_the_core_has_no_room_for_is_left_to_numpy():
    deep = replace(CONFIGS["letters"], depth=17)
    many = replace(MIXING, orders=(1, 2, 3, 4) * 3)
    with native.chosen("generic"):
        assert not compiled(CONFIGS["letters"], many, tiny_checkpoint("letters").arrays, NumpyArrays())
        assert not compiled(deep, MIXING, random_checkpoint(deep, "deep").arrays, NumpyArrays())

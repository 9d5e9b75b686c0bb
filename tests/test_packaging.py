"""The wheel holds the package, its weights and its format specification, nothing else; the sdist builds."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = "models/backends/native/_core.so"
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked(*patterns):
    """Files that git tracks (paths relative to the repository), matching glob patterns."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a wheel and an sdist, built from a copy of what git tracks."""
    source, dist = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(source)]
    made = subprocess.run(command, capture_output=True, text=True)  # the sdist, and the wheel from the sdist
    assert made.returncode == 0, made.stdout + made.stderr
    return dist


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    folders = {
        name.removeprefix("catzip").replace(".", "/").strip("/")
        for name in CONFIG["tool"]["setuptools"]["packages"]
    }
    modules = {name for name in tracked("*.py") if str(Path(name).parent).strip(".") in folders}
    data = {"py.typed", "benchmarks/matrix/sample.txt", "compressor/format/FORMAT.md"} | tracked(
        "models/weights/*.safetensors", "models/recipes/*.toml"
    )
    core = f"catzip/{CORE}"
    assert found - {core} == {f"catzip/{name}" for name in modules - {"setup.py"} | data}


def test_the_wheel_has_the_compiled_core_of_this_platform_for_every_python(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        compiled = f"catzip/{CORE}" in archive.namelist()
    assert compiled == (shutil.which("cc") is not None)
    *_, python, abi, platform = wheel.stem.split("-")
    assert (python, abi) == ("py3", "none") and (platform != "any") == compiled


def test_without_a_compiler_the_core_is_left_out_and_the_wheel_is_for_every_platform(built, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "--no-cache-dir",
        "-v",
    ]
    made = subprocess.run(
        [*command, "-w", str(tmp_path), str(sdist)],
        capture_output=True,
        text=True,
        env={**os.environ, "CC": "no-such-compiler"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "the compiled core is left out: there is no C compiler" in made.stdout + made.stderr
    (wheel,) = tmp_path.glob("*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so")]


@pytest.fixture
def wheels():
    """The script of `make wheels`."""
    spec = importlib.util.spec_from_file_location("wheels", ROOT / ".ci" / "wheels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wheel_that_is_packed_anew_is_smaller_and_holds_the_same(built, wheels, tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "DIST", tmp_path)
    (wheel,) = built.glob("*.whl")
    made = wheels.packed(wheel)
    assert made.stat().st_size < wheel.stat().st_size
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(made) as after:
        assert after.testzip() is None and set(after.namelist()) == set(before.namelist())
        ours = [name for name in before.namelist() if not name.endswith(("/WHEEL", "/RECORD"))]
        assert all(after.read(name) == before.read(name) for name in ours)
        (about,) = (name for name in after.namelist() if name.endswith("/WHEEL"))
        (record,) = (name for name in after.namelist() if name.endswith("/RECORD"))
        assert f"Tag: {'-'.join(made.stem.split('-')[2:])}\n".encode() in after.read(about)
        lines = {wheels.line_of(name, after.read(name)).strip() for name in [*ours, about]}
        assert set(after.read(record).decode().splitlines()) == {*lines, f"{record},,"}


def test_a_wheel_is_for_the_oldest_system_that_has_what_it_asks_for(wheels):
    assert wheels.tag_of("linux_x86_64", b"..GLIBC_2.2.5..GLIBC_2.14..") == "manylinux_2_17_x86_64"
    assert wheels.tag_of("linux_aarch64", b"..GLIBC_2.34..GLIBC_2.17..") == "manylinux_2_34_aarch64"
    assert wheels.tag_of("linux_x86_64", b"of another C library") == "linux_x86_64"
    assert wheels.tag_of("any", b"") == "any"


def test_every_package_of_the_repository_is_listed():
    outside = ("tests", "examples", "benchmarks/studies")  # for the repository alone
    inits = {Path(name).parent for name in tracked("*__init__.py") if not name.startswith(outside)}
    packages = {".".join(("catzip", *folder.parts)) for folder in inits}
    assert packages == set(CONFIG["tool"]["setuptools"]["packages"])


def test_the_sdist_builds_and_has_what_the_wheel_needs(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "cli.py", "compressor/format/FORMAT.md"} <= found


def test_the_version_is_written_twice_the_same():
    import catzip

    assert catzip.__version__ == CONFIG["project"]["version"]


def test_constraints_pin_every_dependency():
    project = CONFIG["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    names = {requirement.partition(">")[0].strip().lower() for requirement in wanted}
    pins = {
        line.partition("==")[0]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert names <= pins


def test_weights_and_repository_stay_small():
    """As CONTRIBUTING.md says: the weights in 48 MiB, all files in 64."""
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}
    assert sum(size for name, size in sizes.items() if name.startswith("models/weights/")) <= 48 << 20
    assert sum(sizes.values()) <= 64 << 20

"""What `make wheels` runs: builds the wheel of this platform and that of all others, and tries both.

The first has the compiled core, the second does without; each is installed into an environment of its own, and what
one has compressed the other decompresses. They lie in dist/ then, and their sizes are printed.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
OLDEST = (2, 17)
"""The glibc of manylinux2014: what asks for less runs there, too."""


def main() -> None:
    """Build, try, and print what there is. Raises CalledProcessError, and SystemExit for wheels that differ."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(work), str(ROOT))
        (sdist,) = work.glob("*.tar.gz")
        command = ["wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-cache-dir", "-w", str(work)]
        run(sys.executable, "-m", "pip", *command, str(sdist), env={**os.environ, "CC": "/bin/false"})
        DIST.mkdir(exist_ok=True)
        wheels = [packed(path) for path in sorted(work.glob("*.whl"))]
        if len(wheels) == 1:
            print("There is no C compiler here: this is the wheel that has no core.")
        try_out(wheels, work)
    for wheel in wheels:
        print(f"{wheel.relative_to(ROOT)}: {wheel.stat().st_size:,} bytes")


def run(*command: str, **options: object) -> bytes:
    """What a command prints. Raises CalledProcessError, with what it said on stderr."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def packed(wheel: Path) -> Path:
    """The wheel in dist/, with the platform that it is for in its name, and in fewer bytes."""
    with zipfile.ZipFile(wheel) as archive:
        files = {each.filename: archive.read(each) for each in archive.infolist()}
    old = wheel.stem.split("-")[-1]
    new = tag_of(old, b"".join(data for name, data in files.items() if name.endswith(".so")))
    (about,) = (name for name in files if name.endswith(".dist-info/WHEEL"))
    files[about] = files[about].replace(old.encode(), new.encode())
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    files[record] = "".join(line_of(name, data) for name, data in files.items() if name != record).encode()
    files[record] += f"{record},,\n".encode()
    target = DIST / wheel.name.replace(old, new)
    with mock.patch("zipfile._get_compressor", smallest), zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            about_file = zipfile.ZipInfo(name)  # of 1980: the same wheel each time
            about_file.external_attr = 0o100644 << 16
            archive.writestr(about_file, data, zipfile.ZIP_DEFLATED)
    return target


def tag_of(platform: str, core: bytes) -> str:
    """The platform as package indices name it: that of the oldest glibc which has what the core asks for."""
    asked = [(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", core)]
    if not platform.startswith("linux_") or not asked:
        return platform
    major, minor = max(OLDEST, *asked)
    return platform.replace("linux", f"manylinux_{major}_{minor}", 1)


def line_of(name: str, data: bytes) -> str:
    """The line of a file in RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def smallest(kind: int, level: int | None = None) -> object:
    """A compressor for weights, which most of a wheel is: small numbers, of which deflate finds few that repeat.

    zlib's strategy for them takes 2 % off; zipfile has no name for it.
    """
    return zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED)


def try_out(wheels: list[Path], work: Path) -> None:
    """Install each into an environment of its own: all make the same bytes, and read what the others made."""
    text = (ROOT / "README.md").read_bytes()
    made = []
    for i, wheel in enumerate(wheels):
        place = work / f"environment-{i}"
        run(sys.executable, "-m", "venv", str(place))
        python, catzip = str(place / "bin" / "python"), str(place / "bin" / "catzip")
        run(python, "-m", "pip", "install", "-qq", "-c", str(ROOT / "constraints.txt"), str(wheel))
        says = run(catzip, "--version", cwd=work).decode()
        if ("core: native" in says) == wheel.name.endswith("-any.whl"):
            raise SystemExit(f"{wheel.name} runs on another core than it should: {says}")
        made.append(run(catzip, "compress", cwd=work, input=text))
        for blob in made:
            if blob != made[0] or run(catzip, "decompress", cwd=work, input=blob) != text:
                raise SystemExit(f"{wheel.name} makes other bytes")
        print(f"{wheel.name}: {says.splitlines()[1]}, {len(text):,} -> {len(made[-1]):,} bytes and back")


if __name__ == "__main__":
    main()

"""Compiles the core, where there is a C compiler. Knows nothing but the standard library: setup.py runs it, too.

    python -m catzip.models.backends.native.build [--sanitize]

makes it anew beside its sources, for who works on them; with the sanitizers of the compiler, which need
LD_PRELOAD="$(cc -print-file-name=libasan.so)" then.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAME = "_core.so"
"""The name of the shared object. It knows no Python and is called through ctypes: one serves every version."""

FLAGS = ("-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
"""None of them changes a result: no -ffast-math, and no multiplication is fused with an addition. No -march either:
what each variant needs, its source says."""

SHARED = ("-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)


class BuildError(Exception):
    """There is no compiler, or it fails."""


def sources() -> list[Path]:
    """What is compiled, and what that includes."""
    return sorted([*HERE.glob("*.c"), *HERE.glob("*.h")])


def digest() -> str:
    """A digest of the sources: the core says from which ones it was made."""
    found = hashlib.sha256()
    for path in sources():
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def compiler() -> list[str]:
    """CC of the environment, or else that which Python was made with, or cc. Raises BuildError where there is none."""
    import shlex
    import shutil
    import sysconfig

    asked = os.environ.get("CC")
    for command in [asked] if asked else [sysconfig.get_config_var("CC"), "cc", "gcc", "clang"]:
        words = shlex.split(command or "")
        if words and shutil.which(words[0]):
            return words
    raise BuildError("there is no C compiler")


def build(target: Path, extra: tuple[str, ...] = ()) -> None:
    """Compile into ``target``, which appears whole or not at all. Raises BuildError."""
    import subprocess

    made = target.with_name(f".{target.name}.{os.getpid()}")
    units = [str(path) for path in sources() if path.suffix == ".c"]
    command = [
        *compiler(),
        *FLAGS,
        *SHARED,
        f'-DCATZIP_SOURCE="{digest()}"',
        *extra,
        "-o",
        str(made),
        *units,
        "-lm",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise BuildError(f"{command[0]} fails: {reason}")
        os.replace(made, target)
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run: {error}") from error
    finally:
        made.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """The exit code."""
    try:
        build(HERE / NAME, SANITIZERS if "--sanitize" in arguments else ())
    except BuildError as error:
        print(f"the compiled core is left out: {error}", file=sys.stderr)
        return 1
    print(HERE / NAME)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

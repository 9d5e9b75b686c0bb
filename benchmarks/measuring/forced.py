"""Compress files, each frame with the model that is named, also where xz would be smaller.

    python -m catzip.benchmarks.measuring.forced -m MODEL [--steps N] [-T THREADS] [--device DEVICE] FILE...

`catzip compress -m MODEL` keeps whichever is smaller, so a model that loses to xz would have no figures. Each FILE
becomes FILE.catz, an ordinary file. Content that the model does not shrink at all is still stored.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...compressor.errors import CatzipError
from ...compressor.pipeline import compress_stream
from ...models.registry import Registry


def main(arguments: Sequence[str] | None = None) -> int:
    """Compresses the files; the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("-T", "--threads", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        models = Registry(options.device, options.threads)
        for path in options.files:
            with path.open("rb") as src, Path(f"{path}.catz").open("xb") as dst:
                compress_stream(
                    src, dst, models=models, model=options.model, steps=options.steps, keep_model=True
                )
    except CatzipError as error:
        sys.exit(f"catzip: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

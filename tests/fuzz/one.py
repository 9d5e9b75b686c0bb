"""One target: `python tests/fuzz/one.py TARGET FILE...` runs it on files, and tells what is wrong with each.

Exit codes: 0 nothing is wrong, 1 something is. With `--seconds` it fuzzes; `run.py` calls that.
"""

import argparse
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def main() -> int:
    """Run or fuzz; the exit code."""
    options = _options().parse_args()
    # Imported late, so that it tells what code runs.
    from fuzz import engine, oracle

    if options.seconds is None:
        from fuzz import targets

        oracle.guard_memory()
        return _replay(targets.load(options.target), options.files)
    with engine.instrumented():
        from fuzz import targets

        target = targets.load(options.target)
    engine.fuzz(
        options.target, target, options.seconds, options.folder / "corpus", options.folder / "findings"
    )
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=int, help="fuzz for so long")
    parser.add_argument("--folder", type=Path, help="where `corpus` and `findings` are")
    return parser


def _replay(target, files) -> int:
    from fuzz import oracle

    code = 0
    for path in files:
        error = oracle.finding(target.check, path.read_bytes())
        if error is not None:
            code = 1
            traceback.print_exception(error)
            print(f"{path}: {oracle.signature(error)}")
        else:
            print(f"{path}: nothing is wrong")
    return code


if __name__ == "__main__":
    sys.exit(main())

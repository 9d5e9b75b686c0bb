"""Fuzzes all targets, one after the other: `python tests/fuzz/run.py --minutes 10`. See --help.

What reaches new code is kept in FOLDER/TARGET/corpus, where the next run goes on; findings, one input for each cause,
in FOLDER/TARGET/findings, until they are mended. Exit codes: 0 nothing was found, 1 something was.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz import engine, targets

ONE = Path(__file__).with_name("one.py")
_LATE = 300  # seconds that a process may take beyond its time, to start and for its last input
_SHORTEST = 5  # seconds for which a process is worth starting


@dataclass
class Tally:
    """What came of one target. Coverage is in libFuzzer's units: places in the code, and inputs that found some.

    Rates are of processor time, start included; the clock says little on a busy machine.
    """

    target: str
    seconds: float = 0
    processor: float = 0
    executions: int = 0
    kept: int = 0
    coverage: int = 0
    peak: int = 0
    slowest: float = 0
    ended: int = 0

    def add(self, text: str) -> None:
        """What a process printed."""
        self.executions += max(map(int, re.findall(r"(?:units: *|^#)(\d+)", text, re.M)), default=0)
        self.kept += max(map(int, re.findall(r"new_units_added: *(\d+)", text)), default=0)
        self.coverage = max([self.coverage, *map(int, re.findall(r" cov: (\d+)", text))])
        self.peak = max([self.peak, *map(int, re.findall(r"(?:peak_rss_mb: *|rss: )(\d+)", text))])
        self.slowest = max([self.slowest, *map(float, re.findall(r"^SLOW: ([\d.]+)", text, re.M))])

    def __str__(self) -> str:
        rate = self.executions / self.processor if self.processor else 0
        return (
            f"{self.target:<12} {self.executions:>9,} {rate:>8.1f} {self.coverage:>9,} {self.kept:>6,} "
            f"{self.slowest:>8.1f} {self.peak:>8,} {self.ended:>6}"
        )


HEADINGS = "target       executions /CPU sec  coverage    new  slowest peak MiB  ended"


def main() -> int:
    """Fuzz, tell what came of it, and give the exit code."""
    options = _options().parse_args()
    names = options.target or list(targets.NAMES)
    print("guided by coverage" if engine.GUIDED else "atheris is not installed: inputs are changed at random")
    print(HEADINGS, flush=True)
    for name in names:
        print(_fuzzed(name, 60 * options.minutes / len(names), options.folder / name), flush=True)
    found = [each for name in names for each in _confirmed(name, options.folder / name / "findings")]
    print("\n".join(found) if found else "nothing was found")
    return 1 if found else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="in all, shared among the targets (10)")
    parser.add_argument("--target", action="append", choices=targets.NAMES, help="this one; may be repeated")
    parser.add_argument("--folder", type=Path, default=Path("runs/fuzz"), help="for inputs (runs/fuzz)")
    return parser


def _fuzzed(name: str, seconds: float, folder: Path) -> Tally:
    """Fuzz one target, in processes of its own: an input that ends one is a finding, and another goes on."""
    tally = Tally(name)
    for each in ("corpus", "findings"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    while seconds - tally.seconds >= min(_SHORTEST, seconds):
        left = max(1, round(seconds - tally.seconds))
        start, before = time.monotonic(), _processor()
        log = folder / "log.txt"
        words = [sys.executable, str(ONE), name, "--seconds", str(left), "--folder", str(folder)]
        with log.open("w") as output:
            try:
                code = subprocess.run(words, stdout=output, stderr=output, timeout=left + _LATE).returncode
            except subprocess.TimeoutExpired:
                code = -1
        tally.seconds += time.monotonic() - start
        tally.processor += _processor() - before
        tally.add(log.read_text(errors="replace"))
        if code:
            tally.ended += 1
            print(f"{name}: a process ended with code {code}: {log}", file=sys.stderr)
            log.rename(folder / f"log-of-code-{code}.txt")
    return tally


def _processor() -> float:
    """Seconds of processor time that ended processes of this one took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _confirmed(name: str, findings: Path) -> list[str]:
    """The findings that are still there, each with the command that shows it. Those that are mended go."""
    found = []
    for path in sorted(findings.iterdir()):
        if path.suffix == ".txt":
            continue
        words = [sys.executable, str(ONE), name, str(path)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=engine.WALL + _LATE)
            said = (done.stdout.splitlines() or ["the process ended"])[-1].removeprefix(f"{path}: ")
            fine = done.returncode == 0
        except subprocess.TimeoutExpired:
            said, fine = "it does not end", False
        if fine:
            path.unlink()
            path.with_suffix(".txt").unlink(missing_ok=True)
        else:
            found.append(f"{name}: {said}\n    python tests/fuzz/one.py {name} {path}")
    return found


if __name__ == "__main__":
    sys.exit(main())

"""Run one command and print, as one JSON line, its wall time and peak memory.

Started as a bare script in a fresh interpreter, on purpose: on Linux a child's peak memory counts what its
parent held when it was forked, so the parent must be small. Only modules that load quickly are imported.
"""

import json
import os
import subprocess
import sys
import time


def main() -> int:
    """argv[1] receives the figures; the rest is the command, whose output and exit code pass through."""
    start = time.perf_counter()
    child = subprocess.Popen(sys.argv[2:])
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in KiB on Linux
    figures = {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_memory_bytes": usage.ru_maxrss * unit,
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(figures, file)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())

"""What `make demo` runs: compress a text, set it beside xz, decompress it, compare.

The commands it prints are the commands it runs, so they can be typed by hand.
"""

import lzma
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CATZIP = Path(sys.executable).with_name("catzip")
BOOK = Path(__file__).with_name("moby-dick.txt")


def run(*arguments: str, folder: Path) -> float:
    """Print and run one catzip command in `folder`; its seconds. Ends the demo if it fails."""
    print(f"$ catzip {shlex.join(arguments)}", flush=True)
    start = time.perf_counter()
    done = subprocess.run([CATZIP, *arguments], cwd=folder)
    if done.returncode:
        sys.exit(done.returncode)
    return time.perf_counter() - start


def line(label: str, size: int, original: int, seconds: float) -> str:
    """One row of the result."""
    return f"  {label:<12}{size:>12,} bytes {8 * size / original:>8.3f} bits/byte {seconds:>8.2f} s"


def main() -> int:
    """The demo; exit code 1 if the file that came back is not the file that went in."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else BOOK
    data = source.read_bytes()
    with tempfile.TemporaryDirectory(prefix="catzip-demo-") as name:
        folder = Path(name)
        (folder / source.name).write_bytes(data)
        coded, restored = f"{source.name}.catz", f"{source.name}.restored"
        encode = run("compress", source.name, folder=folder)
        run("list", coded, folder=folder)
        decode = run("decompress", coded, "-o", restored, folder=folder)
        size = (folder / coded).stat().st_size
        same = (folder / restored).read_bytes() == data
    start = time.perf_counter()
    peer = len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    xz = time.perf_counter() - start
    print(f"\n{source.name}:")
    print(line("original", len(data), len(data), 0.0))
    print(line("xz -9e", peer, len(data), xz))
    print(line("catzip", size, len(data), encode))
    print(f"\n{100 * (1 - size / peer):.1f} % smaller than xz; decompressed in {decode:.2f} s:", end=" ")
    print("the same bytes, all of them." if same else "NOT THE SAME BYTES.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())

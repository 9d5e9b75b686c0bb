"""Pictures take bounded memory, however large they are or say that they are: measured in processes of their own."""

import json
import subprocess
import sys
import zlib

import numpy as np
import pytest
from clitools import CATZIP
from png_files import SIGNATURE, chunk, ihdr

from catzip.compressor.format import lzma2, varint
from catzip.compressor.format.container import XZ, Head
from catzip.compressor.format.writer import Choice, Writer

SIDE = 12_000  # pixels: a grey picture of that size is 144 MB, and ten times as much was taken once
_MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stderr.decode(), used.ru_maxrss / 1000, used.ru_utime]))
"""


def measured(*words, cwd):
    """What a command wrote to stderr, its largest memory in MB, and the seconds that it computed; it must not fail."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        check=True,
        timeout=300,
    )
    code, stderr, memory, seconds = json.loads(done.stdout)
    assert code == 0, stderr
    return stderr, memory, seconds


def flat_stream(side):
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1 + side)) for _ in range(side)) + packer.flush()


def test_a_flat_picture_is_compressed_at_once_in_little_memory(tmp_path):
    data = SIGNATURE + ihdr(16_000, 16_000, 8, 0) + chunk(b"IDAT", flat_stream(16_000)) + chunk(b"IEND")
    (tmp_path / "flat.png").write_bytes(data)
    for words in ((), ("--pixels",)):
        _, memory, seconds = measured(CATZIP, "compress", "-f", *words, "flat.png", cwd=tmp_path)
        assert memory < 250
        assert seconds < 15
        assert (tmp_path / "flat.png.catz").stat().st_size < 2000


def bomb(path):
    """A file of some kilobytes whose content is an unpacked picture of `SIDE` x `SIDE` zeros."""
    front = SIGNATURE + ihdr(SIDE, SIDE, 8, 0)
    start = b"\x89UPNG\r\n\n" + varint.encode(len(front)) + front
    with path.open("wb") as file:
        writer = Writer(file)
        writer.pack(b"\0")
        zeros = bytes(SIDE * SIDE // 9)
        packed = lzma2.compress(zeros)
        for data in (start, *[zeros] * 9, chunk(b"IEND") + b"behind the end " * 9):
            if data is zeros:
                writer.write(Choice(Head(XZ, length=len(data), size=len(packed)), packed), data)
            else:
                writer.store([(len(data), [data])])
        writer.finish()


def test_a_small_file_that_becomes_a_large_picture_takes_little_memory(tmp_path):
    path = tmp_path / "bomb.catz"
    bomb(path)
    assert path.stat().st_size < 50_000
    _, memory, seconds = measured(CATZIP, "decompress", path, "-o", "bomb.png", cwd=tmp_path)
    assert memory < 250
    assert seconds < 20


_BOTH_WAYS = """
import sys
from catzip.compressor.recompression import choice
from catzip.compressor.recompression import method
from catzip.compressor.recompression.span import Span
file = Span.whole(open(sys.argv[1], "rb"))
content, how = choice.byte_exact(file)
at = 0
for piece in method.pack(content, how):
    assert file.read(at, len(piece)) == piece
    at += len(piece)
assert at == file.size
"""


@pytest.mark.slow
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_picture_that_does_not_compress_takes_little_memory(tmp_path, interlaced):
    side = 4_000
    noise = np.random.RandomState(1).randint(0, 256, (side, side * 3), np.uint8)
    lines = []
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    for left, top, across, down in passes if interlaced else ((0, 0, 1, 1),):
        rows = noise.reshape(side, side, 3)[top::down, left::across].reshape(len(noise[top::down]), -1)
        lines.append(np.concatenate([np.ones((len(rows), 1), np.uint8), rows], axis=1).tobytes())
    stream = zlib.compress(b"".join(lines), 1)
    path = tmp_path / "noise.png"
    path.write_bytes(SIGNATURE + ihdr(side, side, 8, 2, interlaced) + chunk(b"IDAT", stream) + chunk(b"IEND"))
    _, memory, _ = measured(sys.executable, "-c", _BOTH_WAYS, path, cwd=tmp_path)
    assert memory < (230 if interlaced else 180)  # the file and its pixels are 48 MB each

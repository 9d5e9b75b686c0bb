"""The peers restore what they are given, and say so when they cannot run."""

import random
import sys

import pytest

from catzip.benchmarks.data.dataset import Dataset
from catzip.benchmarks.measuring.peers import PEERS, Peer, run_peer

LINES = b"".join(b"line %d of a small text\n" % number for number in range(300))
CONTENTS = {"empty": b"", "one byte": b"x", "lines": LINES, "random": random.Random(1).randbytes(3000)}


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
@pytest.mark.parametrize("name", CONTENTS)
def test_peer_restores(peer: Peer, name: str) -> None:
    data = CONTENTS[name]
    result = run_peer(peer, Dataset(name, data, name))
    if result.missing:
        assert "fails" not in result.missing
        pytest.skip(f"{peer.module} is not installed: {result.missing}")
    assert result.compressed_bytes is not None
    assert result.compressed_bytes < max(len(data) // (4 if name == "lines" else 1), 0) + 600
    assert (result.rate is None) == (not data)


def test_missing_module_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    peer = next(peer for peer in PEERS if peer.module == "zstandard")
    result = run_peer(peer, Dataset("x", b"abc", "x"))
    assert result.compressed_bytes is None
    assert result.missing == "pip install 'catzip[bench]'"


def test_wrong_output_is_an_error() -> None:
    liar = Peer("liar", "", "gzip", lambda module: (lambda data: data, lambda blob: blob[1:]))
    with pytest.raises(RuntimeError, match="liar did not restore the 3 bytes of x"):
        run_peer(liar, Dataset("x", b"abc", "x"))


def test_a_peer_that_cannot_read_what_it_wrote_is_a_row() -> None:
    broken = Peer("broken", "", "gzip", lambda module: (lambda data: data, module.decompress))
    result = run_peer(broken, Dataset("x", b"abc", "x"))
    assert result.compressed_bytes is None and (result.missing or "").startswith("fails on what it wrote")

"""Files coded side by side: the same files, by one call of the network for all of them."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from catzip.benchmarks import lockstep
from catzip.benchmarks.lockstep import Gathered, Gathering, in_threads
from catzip.models.arrays import NumpyArray

LENGTH = 4


class Network:
    """Answers with what it was asked, and counts the calls; fails for what is above 200."""

    size, alphabet, base, stages, least = LENGTH, 256, 256, 1, 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def memory(self) -> None:
        pass

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, memory: None = None
    ) -> NumpyArray:
        self.batches.append(len(values))
        if values.max() > 200:
            raise FloatingPointError("too large")
        return values[:, wanted, None].astype(np.uint32) + int(known.sum())


def ask(network: Gathered, value: int, known: int) -> int:
    values = np.full((1, LENGTH), value, np.uint8)
    answer = network.frequencies(values, np.arange(LENGTH) < known, 0, np.array([known]))
    assert answer.shape == (1, 1, 1)
    return int(answer[0, 0, 0])


def coded(values: list[int], calls: list[int], at_once: int = 3) -> tuple[Network, list[int], int]:
    """As many files as values, each with so many calls: the network, what it answered, and the exit code."""
    network, gathering, sums = Network(), Gathering(), [0] * len(values)
    gathered = Gathered(network, gathering)

    def action(name: str) -> None:
        i = int(name)
        sums[i] = sum(ask(gathered, values[i], known) for known in range(calls[i]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lockstep, "AT_ONCE", at_once)
        code = in_threads(gathering, [str(i) for i in range(len(values))], action)
    return network, sums, code


def test_one_call_for_all():
    network, sums, code = coded([10, 20, 30, 40], [3, 3, 3, 3])
    assert code == 0 and sums == [33, 63, 93, 123]
    assert network.batches == [3, 3, 3, 1, 1, 1]


def test_who_is_done_does_not_hold_up_the_others():
    network, sums, code = coded([10, 20, 30], [1, 0, 3])
    assert code == 0 and sums == [10, 0, 93]
    assert sorted(network.batches) == [1, 1, 2]


def test_different_calls_are_answered_apart():
    network, gathering = Network(), Gathering()
    gathered = Gathered(network, gathering)
    gathering.join(2)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda known: ask(gathered, 50, known), [1, 2])) == [51, 52]
    assert network.batches == [1, 1]


def test_a_network_that_fails_ends_it_for_all():
    with pytest.raises((RuntimeError, FloatingPointError)):
        coded([10, 250, 30], [2, 2, 2])


@pytest.mark.slow
def test_the_files_are_the_same(tmp_path: Path):
    """As those that each command line writes alone, and one that is refused does not keep the others."""
    random = np.random.RandomState(5)
    together, alone = tmp_path / "together", tmp_path / "alone"
    for folder in (together, alone):
        folder.mkdir()
    for i in range(3):
        image = (random.randint(0, 24, (1, 32, 32, 3)) + 40 * i).astype(np.uint8)
        for folder in (together, alone):
            np.save(folder / f"{i}.npy", image)
    options = ["-q", "-m", "ardm-upscale-cifar10", "--steps", "5"]
    names = [str(together / f"{i}.npy") for i in range(3)]
    assert command("lockstep", "compress", *options, names[0], str(together / "none.npy"), *names[1:]) == 1
    assert command("forced", "compress", *options, *(str(alone / f"{i}.npy") for i in range(3))) == 0
    for i in range(3):
        packed = together / f"{i}.npy.catz"
        assert packed.read_bytes() == (alone / f"{i}.npy.catz").read_bytes()
        (together / f"{i}.npy").unlink()
    assert command("lockstep", "decompress", "-q", *(f"{name}.catz" for name in names)) == 0
    for i in range(3):
        assert (together / f"{i}.npy").read_bytes() == (alone / f"{i}.npy").read_bytes()


def command(module: str, *words: str) -> int:
    return subprocess.run([sys.executable, "-P", "-m", f"catzip.benchmarks.{module}", *words]).returncode

"""The command line of ``forced.py``, but the network answers the calls of many files together.

An order-agnostic model codes one item in as many calls as many items, and a call for one takes far longer than its
share of a call for a hundred. So each file is coded by the same code as ever, in a thread of its own, but a call waits
until every file that is being coded has one. The files are the same to the last byte, since the PMFs of an item do not
depend on what else is in a batch; the times are those of all files together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, RLock
from typing import Any
from unittest.mock import patch

import numpy as np

from ..cli import convert, main
from ..cli.work import each
from ..compressor import chooser
from ..models.ardm import ARDM, MaskedNet
from ..models.arrays import NumpyArray
from ..models.registry import Registry
from .forced import NoXz

AT_ONCE = 100


@dataclass
class Question:
    """A call of a network, see `ardm.MaskedNet.frequencies`, and its answer once there is one."""

    network: MaskedNet
    values: NumpyArray
    known: NumpyArray
    stage: int
    wanted: NumpyArray
    answer: NumpyArray | None = None

    @property
    def key(self) -> tuple[int, bytes, int, bytes]:
        """Questions with the same can be answered by one call."""
        return id(self.network), self.known.tobytes(), self.stage, self.wanted.tobytes()


class Gathering:
    """Threads that ask networks, and all wait until each of them asks or has left."""

    def __init__(self) -> None:
        self._changed, self._members = Condition(), 0
        self._asked: list[Question] = []
        self._failed = False

    def join(self, members: int) -> None:
        """So many threads come in; each of them is to leave."""
        with self._changed:
            self._members += members

    def leave(self) -> None:
        """A thread is done, whether or not it failed."""
        with self._changed:
            self._members -= 1
            self._answer_all()

    def ask(self, question: Question) -> NumpyArray:
        """The answer. Raises RuntimeError if a network failed, in whichever thread that was."""
        with self._changed:
            self._asked.append(question)
            self._answer_all()
            self._changed.wait_for(lambda: question.answer is not None or self._failed)
        if question.answer is None:
            raise RuntimeError("a call for several files failed")
        return question.answer

    def _answer_all(self) -> None:
        """If every member asks: one call for all questions that are the same but for the values."""
        if not self._asked or len(self._asked) < self._members:
            return
        alike: dict[Any, list[Question]] = defaultdict(list)
        for question in self._asked:
            alike[question.key].append(question)
        self._asked = []
        try:
            for questions in alike.values():
                _answer(questions)
        except BaseException:
            self._failed = True
            raise
        finally:
            self._changed.notify_all()


def _answer(questions: list[Question]) -> None:
    first = questions[0]
    values = np.concatenate([question.values for question in questions])
    found = first.network.frequencies(values, first.known, first.stage, first.wanted)
    ends = np.cumsum([len(question.values) for question in questions])
    for question, answer in zip(questions, np.split(found, ends[:-1]), strict=True):
        question.answer = answer


class Gathered:
    """A `MaskedNet` whose calls are gathered. It remembers nothing between them."""

    def __init__(self, network: MaskedNet, gathering: Gathering) -> None:
        self._network, self._gathering = network, gathering
        self.size, self.alphabet = network.size, network.alphabet
        self.base, self.stages, self.least = network.base, network.stages, network.least

    def memory(self) -> None:
        """None: another item may be its neighbour in the next call."""

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, memory: None = None
    ) -> NumpyArray:
        """See `ardm.MaskedNet`."""
        return self._gathering.ask(Question(self._network, values.copy(), known.copy(), stage, wanted))


def in_threads(gathering: Gathering, names: Iterable[str], action: Callable[[str], None]) -> int:
    """As `cli.work.each`, for ``AT_ONCE`` files at a time, which end together."""
    waiting, code = list(names), 0

    def one(name: str) -> int:
        try:
            return each([name], action)
        finally:
            gathering.leave()

    while waiting:
        batch, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        gathering.join(len(batch))
        with ThreadPoolExecutor(len(batch)) as pool:
            code = max(code, *pool.map(one, batch))
    return code


def _run() -> None:
    gathering, loading, load = Gathering(), RLock(), Registry._load

    def loaded(registry: Registry, path: Path) -> Any:
        with loading:
            model = load(registry, path)
            if isinstance(model, ARDM) and not isinstance(model.network, Gathered):
                model.network = Gathered(model.network, gathering)
            return model

    with (
        patch.object(chooser, "lzma2", NoXz),
        patch.object(Registry, "_load", loaded),
        patch.object(convert, "each", lambda names, action: in_threads(gathering, names, action)),
    ):
        main()


if __name__ == "__main__":
    _run()

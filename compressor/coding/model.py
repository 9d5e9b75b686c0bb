"""What the pipeline knows of a model: two protocols, implemented in `catzip.models`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from .symbols import Symbols
from .vocabulary import Vocabulary

if TYPE_CHECKING:  # constriction is for coding: training, which knows PMFs, does without
    from .stack import Stack

ALPHABETS = {"bytes": 256, "text27": 27, "array": 256, "image": 256}
"""How many symbols each of `compressor.media` has, by the name that models and recipes have for it."""

Plan = tuple[int, ...]
"""How a frame is coded, as the model understands it: small non-negative integers, stored in the frame."""


class Needs(NamedTuple):
    """What a model takes to decode a frame, as it is reckoned and not measured.

    work    in units that FORMAT.md has for each family: about a millisecond each
    memory  bytes, at the most, beyond those of the symbols and of the model itself
    """

    work: int
    memory: int


class Model(Protocol):
    """A trained model that codes sequences of symbols.

    A frame is a run of segments. The model's state runs on through the frame; each segment has a stack of
    its own, so the PMFs of one segment, and no more, are held at a time.
    """

    @property
    def name(self) -> str:
        """What the command line calls it, for example "ar-bytes"."""
        ...

    @property
    def fingerprint(self) -> bytes:
        """8 bytes that name it in files: the start of sha256 over its canonical content."""
        ...

    @property
    def medium(self) -> str:
        """The medium (see `compressor.media`) whose symbols it codes."""
        ...

    @property
    def alphabet(self) -> int:
        """K, 2 to 65,536: symbols are 0 .. K-1, and their type is `symbols.symbol_type` of K."""
        ...

    @property
    def vocabulary(self) -> Vocabulary | None:
        """What its K symbols stand for, where its medium is "tokens"; None where the medium says it."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """What it codes one of after another, for example (32, 32, 3) for images; () where any length is alike."""
        ...

    @property
    def budgets(self) -> tuple[int, ...]:
        """The numbers of network calls, from few to all, among which a plan can choose; () where there is no choice.

        Where there is, a plan begins with it, or with 0 for all.
        """
        ...

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of a sample, as `sample` gives it: `shape`, or one that the model has chosen where any is alike."""
        ...

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """The coding plan for a frame of `count` symbols, with one of `budgets` (None: as the model likes; 0: all).

        `shape` is how the symbols lie where that is known: (height, width, channels) of an image, (records, bytes of
        one) of bytes. The last number of a plan says how long a segment is, but of models for images of any size, and
        of plans with records, whose last number is those. Raises ModelMismatchError for another number of steps.
        """
        ...

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """How many symbols each segment codes, in order; their sum is `count`.

        Raises CorruptError, before anything large is allocated, if this plan cannot be.
        """
        ...

    def needs(self, count: int, plan: Plan) -> Needs:
        """What decoding `count` symbols with this plan takes. Raises CorruptError, as `segment_sizes` does."""
        ...

    def encode(self, symbols: Symbols, plan: Plan, new_stack: Callable[[], Stack] = ...) -> Iterator[Stack]:
        """Code `symbols` [n]: one stack for each segment, in order.

        new_stack  makes an empty stack, by default a `Stack`: one that also looks at what is pushed may take its place
        """
        ...

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> Symbols:
        """The `count` symbols [count], from one stack for each segment.

        Raises CorruptError for a plan that cannot be, and when a stack is not empty after its segment.
        """
        ...

    def sample(self, items: int, steps: int | None, random: np.random.RandomState) -> Symbols:
        """So many items sampled from the model, with the PMFs it codes with: [items, symbols of an item].

        `steps` as for `plan`. Raises ModelMismatchError as it does.
        """
        ...

    def nll(self, symbols: Symbols, plan: Plan) -> float:
        """The model's own negative log-likelihood of `symbols` [n] under that plan, in bits."""
        ...


class Purpose(NamedTuple):
    """What a model is for: its name, and its `medium` and `shape`."""

    name: str
    medium: str
    shape: tuple[int, ...]


class ModelSource(Protocol):
    """Where models come from."""

    def by_name(self, name: str) -> Model:
        """The model of this name. Raises ModelNotFoundError."""
        ...

    def by_fingerprint(self, fingerprint: bytes) -> Model:
        """The model of this fingerprint. Raises ModelNotFoundError."""
        ...

    def purposes(self) -> Sequence[Purpose]:
        """What every model that can be had is for, the best first."""
        ...

    def default_for(self, content: bytes) -> str | None:
        """The name of the default model for this content, a frame of it; None where no model is any good."""
        ...

    def default_for_images(self) -> str | None:
        """The name of the default model for the medium "image"; None where there is none."""
        ...

    @property
    def thorough(self) -> bool:
        """Whether a default model codes everything to see what comes of it, and no probe spares the time."""
        ...

    @property
    def threads(self) -> int:
        """How many threads may share the work."""
        ...

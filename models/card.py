"""What a weight file says of how its model came to be, which decides nothing: see `registry.Registry.info`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .schema import Count, typed


@dataclass(frozen=True)
class Before:
    """A training from whose end another began."""

    symbols: Count
    model: str | None = None
    before: Before | None = None


@dataclass(frozen=True)
class Trained:
    """When, on what and for how long a model was trained."""

    date: str
    symbols: Count
    minutes: float
    device: str
    before: Before | None = None


@dataclass(frozen=True)
class Card:
    """The table ``card`` of a configuration, of which all may be missing."""

    about: str = ""
    data: tuple[str, ...] = ()
    parameters: Count | None = None
    validation_bits: float | None = None
    trained: Trained | None = None

    @staticmethod
    def of(config: dict[str, Any]) -> Card:
        """That of a configuration. Raises ValueError that names what is of another type."""
        return typed(Card, config.get("card", {}), "card", open_ended=True)

    @property
    def bits(self) -> float:
        """Bits of a symbol in validation; infinite where that is not known."""
        known = self.validation_bits is not None and not math.isnan(self.validation_bits)
        return self.validation_bits if known and self.validation_bits is not None else math.inf

    def training(self) -> dict[str, Any]:
        """What there is to tell of the training, for people."""
        told: dict[str, Any] = {"parameters": self.parameters, "validation_bits": self.validation_bits}
        told["trained_on"] = ", ".join(self.data) or None
        told["trained"] = "".join(self._trainings()) or None
        return {key: value for key, value in told.items() if value is not None}

    def _trainings(self) -> Iterator[str]:
        if self.trained is None:
            return
        last = self.trained
        yield f"{last.date}: {last.symbols:,} symbols in {last.minutes} minutes on {last.device}"
        before = last.before
        while before is not None:
            yield f", after {before.symbols:,} in another run"
            yield f" (of {before.model})" if before.model is not None else ""
            before = before.before

"""The models that targets decode with: tables, and networks of a few neurons, so that an input takes milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from helpers import ItemModel, Models, TableModel
from image_models import ImageModel
from pieces import vocabulary
from toy_families import Words

from catzip.compressor.errors import CorruptError
from catzip.models import registry

WEIGHTS = Path(__file__).parent.parent / "golden" / "neural" / "models"


MOST = 1 << 16
"""Symbols that a table model decodes: what it takes for more is not the subject."""


class TooManySymbols(CorruptError):
    """A table model would take too long for this."""


def bounded(model: TableModel | Words) -> TableModel | Words:
    """The same model, which refuses more symbols."""
    sizes = model.segment_sizes

    def segment_sizes(count: int, plan: tuple[int, ...]) -> list[int]:
        if count > MOST:
            raise TooManySymbols(f"{count} symbols are too many for a table model")
        return sizes(count, plan)

    model.segment_sizes = segment_sizes  # type: ignore[method-assign]
    return model


class Tiny(Models):
    """A source of the table models, which are the default, and of the networks of the golden files."""

    def __init__(self) -> None:
        networks = registry.Registry("cpu", threads=1)
        tables = (
            TableModel(),
            TableModel("table-text27", "text27"),
            ItemModel(),
            ImageModel(),
            Words(vocabulary(1000)),
        )
        found = (networks.by_name(str(path)) for path in sorted(WEIGHTS.glob("*.safetensors")))
        super().__init__(*map(bounded, tables), *found, default="table-bytes")
        self.threads = 1

    def names(self) -> list[str]:
        """All models."""
        return [model.name for model in self.models]


@cache
def tiny() -> Tiny:
    """The source, made once."""
    return Tiny()


@cache
def shipped() -> registry.Registry:
    """The installed models, each loaded once."""
    return registry.Registry("cpu")


@contextmanager
def only(models: object) -> Iterator[None]:
    """Have `catzip.compress`, `decompress` and `open` take models from this source alone."""
    with patch.object(registry, "Registry", lambda *given, **named: models):
        yield

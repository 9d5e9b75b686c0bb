"""Weight files that lie: what a sound one says, changed at random in its header, its configuration or its tensors."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from catzip.models.checkpoint import Checkpoint, canonical_json

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2,
    3,
    255,
    2**31,
    2**63,
    10**30,
    1.5,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "x\x1b[31m",
    "9" * 5000,
    [],
    [[]],
    [1, 2],
    [[1, 8]] * 100,
    {},
    {"a": {}},
)
"""What may stand in place of any value of a configuration."""

Raw = dict[str, tuple[str, list[Any], bytes]]
"""Tensors by name: type and shape as the header says them, data."""

TYPES = {"int8": "I8", "int16": "I16", "int32": "I32", "uint8": "U8", "uint16": "U16"}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def file_of(checkpoint: Checkpoint, random: np.random.RandomState | None = None) -> bytes:
    """A weight file of this checkpoint, whose fingerprint is right; with one change at random, if asked for."""
    arrays, config = dict(checkpoint.arrays), json.loads(canonical_json(checkpoint.config))
    if random is not None:
        config = CHANGES[random.randint(len(CHANGES))](random, config, arrays) or config
    try:
        fingerprint = Checkpoint(config, arrays).fingerprint.hex()
    except (AttributeError, TypeError):
        fingerprint = checkpoint.fingerprint.hex()
    if isinstance(config, dict):
        config = {"fingerprint": fingerprint} | config
    raw: Raw = {
        name: (TYPES[array.dtype.name], list(array.shape), array.tobytes()) for name, array in arrays.items()
    }
    if random is not None and random.rand() < 0.15:
        change_header(random, raw)
    text = canonical_json(config).decode()
    return packed(raw, text)


def packed(raw: Raw, config: str) -> bytes:
    """A safetensors file of these tensors and this configuration."""
    header: dict[str, Any] = {"__metadata__": {"catzip": config}}
    at, data = 0, []
    for name, (kind, shape, content) in raw.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + len(content)]}
        at += len(content)
        data.append(content)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(data)


def change_header(random: np.random.RandomState, raw: Raw) -> None:
    name = list(raw)[random.randint(len(raw))]
    kind, shape, content = raw[name]
    raw[name] = [
        (str(random.choice(["F32", "BF16", "I8", "I64", "U8", "nonsense"])), shape, content),
        (kind, [*shape, 1], content),
        (kind, shape[::-1], content),
        (kind, [int(random.choice([-1, 0, 2**40, 2**62])), *shape[1:]], content),
        (kind, shape, content[:-1]),
        (kind, shape, content + b"\0"),
    ][random.randint(6)]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a configuration are."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*at, key))


def _change_value(random: np.random.RandomState, config: Any, arrays: dict[str, Any]) -> None:
    every = [place for place in places(config) if place[0] != "fingerprint"]
    *path, last = every[random.randint(len(every))]
    table = config
    for key in path:
        table = table[key]
    if random.rand() < 0.15:
        del table[last]
    elif random.rand() < 0.15 and isinstance(table, dict):
        table["other"] = table.pop(last)
    elif random.rand() < 0.3 and isinstance(table[last], int):
        table[last] += int(random.choice([-1, 1, 7, 1000]))
    else:
        table[last] = VALUES[random.randint(len(VALUES))]


def _change_tensor(random: np.random.RandomState, config: Any, arrays: dict[str, Any]) -> None:
    name = list(arrays)[random.randint(len(arrays))]
    array = arrays[name]
    kind = random.randint(7)
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[f"{name}2"] = array
    elif kind == 2:
        arrays[name] = array[:-1]
    elif kind == 3:
        arrays[name] = array.astype(str(random.choice(["int8", "int16", "int32", "uint16"])))
    else:
        info = np.iinfo(array.dtype)
        changed = array.copy().ravel()
        where = slice(None) if kind == 4 else random.randint(0, max(1, changed.size), 3)
        if changed.size:
            changed[where] = random.choice([info.min, info.max, 0, 1, min(info.max, 64)])
        arrays[name] = changed.reshape(array.shape)


def _replace_table(random: np.random.RandomState, config: Any, arrays: dict[str, Any]) -> Any:
    key = str(random.choice(["model", "coding", "card", "name", "medium", "family", "fingerprint"]))
    return config | {key: VALUES[random.randint(len(VALUES))]}


CHANGES: tuple[Callable[[np.random.RandomState, Any, dict[str, Any]], Any], ...] = (
    _change_value,
    _change_value,
    _change_tensor,
    _change_tensor,
    _replace_table,
)

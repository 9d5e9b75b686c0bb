"""Weight files (safetensors, with a configuration in JSON) taken apart, changed and put together again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from catzip.models.checkpoint import Checkpoint

from .draw import Draw

_TYPES = {
    "I8": "i1",
    "U8": "u1",
    "I16": "i2",
    "I32": "i4",
    "I64": "i8",
    "F32": "f4",
    "F64": "f8",
    "U32": "u4",
}
_META = "__metadata__"
_TEXTS = (
    "",
    "x",
    "idf",
    "ardm",
    "autoregressive",
    "bytes",
    "image",
    "array",
    "\x1b[31m",
    "\n",
    "é",
    "\ud800",
    "../x",
)
_BROKEN = ("[" * 100_000, '{"a":' * 5000, "nul", "[]", '"x"', "NaN", "1e999", "")
_DEEP = ', "card": ' + "[" * 5000 + "]" * 5000 + "}"


@dataclass
class WeightFile:
    """The table of tensors, name -> type, shape and offsets; the configuration; and the bytes of all tensors."""

    table: dict[str, Any]
    config: Any
    data: bytes

    @classmethod
    def parse(cls, blob: bytes) -> WeightFile | None:
        """The parts; None where there are no such."""
        size = int.from_bytes(blob[:8], "little")
        try:
            table = json.loads(blob[8 : 8 + size])
            config = json.loads(table.pop(_META)["catzip"])
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return None
        return cls(table, config, blob[8 + size :])

    def to_bytes(self) -> bytes:
        """The file, with the fingerprint that its tensors and its configuration have, if they have one."""
        if isinstance(self.config, dict) and (print_ := self._fingerprint()) is not None:
            self.config["fingerprint"] = print_
        return self.framed(json.dumps(self.config))

    def framed(self, config: str) -> bytes:
        """The file, with this text as its configuration."""
        head = json.dumps({_META: {"catzip": config}, **self.table}).encode()
        head += b" " * (-len(head) % 8)
        return len(head).to_bytes(8, "little") + head + self.data

    def _fingerprint(self) -> str | None:
        try:
            return Checkpoint(self.config, {name: self._array(name) for name in self.table}).fingerprint.hex()
        except Exception:  # tensors that are none: the target is to see them
            return None

    def _array(self, name: str) -> Any:
        facts = self.table[name]
        start, stop = facts["data_offsets"]
        kind = np.dtype(f"<{_TYPES[facts['dtype']]}")
        return np.frombuffer(self.data[start:stop], kind).reshape(facts["shape"])


def mutate(blob: bytes, draw: Draw) -> bytes:
    """Another weight file like this one."""
    file = WeightFile.parse(blob)
    if file is None or draw.chance(0.05):
        return draw.changed(blob, 1 << 18)
    if draw.chance(0.03):
        return file.framed(draw.choice((*_BROKEN, json.dumps(file.config)[:-1] + _DEEP)))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        way = draw.random()
        if way < 0.55:
            file.config = changed_value(file.config, draw)
        elif way < 0.6:
            file.data = draw.changed(file.data, len(file.data))
        else:
            _change_tensors(file, draw)
    return file.to_bytes()


def changed_value(value: Any, draw: Draw) -> Any:
    """A value of JSON with one thing in it changed."""
    if isinstance(value, dict | list) and value and draw.chance(0.9):
        key = draw.choice(list(value)) if isinstance(value, dict) else draw.randrange(len(value))
        return _changed_item(value, key, draw)
    if draw.chance(0.2):
        return draw.choice((None, True, [], {}, [[]], {"a": 1}, [1, 2], -1, 0, 1.5, 1e308, "x"))
    if isinstance(value, bool) or value is None:
        return draw.choice((True, False, None, 1))
    if isinstance(value, int):
        return draw.choice((-1, -value, draw.number(abs(value)), draw.number(abs(value)), value * 1.0))
    if isinstance(value, float):
        return draw.choice((-value, float("inf"), float("nan"), 0.0, 1e-300, int(min(value, 1e9))))
    if isinstance(value, str):
        return draw.choice(
            (value[:-1], value * 2, value + "\x1b]0;x\7", draw.choice(_TEXTS), draw.choice(_TEXTS))
        )
    return draw.choice(([], {}, value))


def _changed_item(value: Any, key: Any, draw: Draw) -> Any:
    """A table or list with the item of this key changed, taken away, or there twice."""
    changed, way = value.copy(), draw.random()
    if way < 0.12:
        del changed[key]
    elif way < 0.2 and isinstance(value, dict):
        changed[draw.choice(("surplus", "shape", "length", "couplings", f"{key}x"))] = value[key]
    elif way < 0.2:
        changed.append(value[key])
    elif way < 0.23:
        nested: Any = value[key]
        for _ in range(draw.choice((3, 30, 300))):
            nested = [nested]
        changed[key] = nested
    else:
        changed[key] = changed_value(value[key], draw)
    return changed


def _change_tensors(file: WeightFile, draw: Draw) -> None:
    """Rename, drop, add, or reinterpret tensors."""
    if not file.table:
        return
    name = draw.choice(list(file.table))
    facts = dict(file.table[name])
    way = draw.random()
    if way < 0.15:
        del file.table[name]
        _pack_tight(file)
    elif way < 0.25:
        file.table[draw.choice((f"{name}.x", "x", "", "\x1b[2J", name.replace("0", "1")))] = file.table.pop(
            name
        )
    elif way < 0.35:
        size = len(file.data)
        file.table[draw.choice(("surplus", "head.weight2"))] = {
            "dtype": "I8",
            "shape": [4],
            "data_offsets": [size, size + 4],
        }
        file.data += bytes(4)
    elif way < 0.6:
        other = file.table[draw.choice(list(file.table))]
        file.table[name] = other | {"data_offsets": facts["data_offsets"]} if draw.chance(0.5) else other
    elif way < 0.75:
        shape = list(facts["shape"])
        facts["shape"] = draw.choice((shape[::-1], [1, *shape], shape[:-1], [draw.number(d) for d in shape]))
        file.table[name] = facts
    else:
        _reshape(file, name, facts, draw)


def _reshape(file: WeightFile, name: str, facts: dict[str, Any], draw: Draw) -> None:
    """Another type or shape for a tensor, with as many bytes as that takes."""
    try:
        facts["dtype"] = draw.choice((facts["dtype"], *_TYPES))
        facts["shape"] = [max(0, d + draw.choice((-1, 0, 0, 1))) for d in facts["shape"]]
        size = int(np.prod(facts["shape"])) * int(_TYPES[facts["dtype"]][1])
        start, stop = facts["data_offsets"]
    except (KeyError, TypeError, ValueError):
        return
    if size > 1 << 20:
        return
    content = file.data[start:stop][:size].ljust(size, draw.choice((b"\0", b"\1", b"\x7f")))
    file.table[name] = facts | {"data_offsets": [len(file.data), len(file.data) + size]}
    file.data += content
    _pack_tight(file)


def _pack_tight(file: WeightFile) -> None:
    """Lay the tensors one behind the other, as the format demands."""
    parts, at = [], 0
    for name, facts in sorted(file.table.items()):
        try:
            start, stop = facts["data_offsets"]
        except (KeyError, TypeError, ValueError):
            return
        part = file.data[start:stop]
        file.table[name] = facts | {"data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    file.data = b"".join(parts)

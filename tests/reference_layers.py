"""The exact layers once more, from the formulas of their docstrings, in Python's own integers and nothing else.

Rows are lists of integers. Where a formula is defined by correctly rounded operations, Python's are: int / int,
float * float, math.sqrt; `single` rounds to float32.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Row = list[int]
Tensors = dict[str, Any]


def clip(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


def single(value: Fraction | int) -> Fraction:
    """The nearest number of 24 binary digits, the even one of two."""
    value = Fraction(value)
    if value == 0:
        return value
    exponent = math.floor(math.log2(abs(value))) - 23
    while abs(value) >= Fraction(2) ** (exponent + 24):
        exponent += 1
    while abs(value) < Fraction(2) ** (exponent + 23):
        exponent -= 1
    return round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent


def linear(tensors: Tensors, name: str, bits: int, codes: Row) -> Row:
    """floor(acc 2**(bits - 5 - e) + b + 1/2), the sum rounded to float32; for each output."""
    parts = [tensors[f"{name}.{part}"].tolist() for part in ("weight", "exponent", "bias")]
    outputs = []
    for weights, exponent, bias in zip(*parts, strict=True):
        acc = single(sum(w * c for w, c in zip(weights, codes, strict=True)))
        scaled = acc * Fraction(2) ** (bits - 5 - exponent)
        outputs.append(math.floor(single(scaled + bias + Fraction(1, 2))))
    return outputs


def rms_norm(x: Row) -> Row:
    """r = floor(2**20 sqrt(n / (sum x^2 + 16 n))), y = floor(x r 2**-15 + 1/2)."""
    n = len(x)
    r = math.floor(2.0**20 * math.sqrt(n / (sum(v * v for v in x) + 16 * n)))
    return [clip((v * r + 2**14) >> 15, 127) for v in x]


def swish(code: int) -> int:
    """x clip((x + 2) / 4, 0, 1) at scale 2**-12."""
    return code * max(0, min(128, code + 64))


def to_code(value: int, shift: int) -> int:
    return clip((value + (1 << shift - 1)) >> shift, 127)


def add_residual(x: Row, out: Row) -> Row:
    limit = 2**15 - 1
    return [clip(a + clip(b, limit), limit) for a, b in zip(x, out, strict=True)]


def recurrent(tensors: Tensors, name: str, x: Row, h: Row) -> tuple[Row, Row]:
    """One step of one lane: residual and state -> the same."""
    n = rms_norm(x)
    forget = linear(tensors, f"{name}.forget", 6, n)
    candidate = linear(tensors, f"{name}.candidate", 12, n)
    gate = linear(tensors, f"{name}.gate", 5, n)
    codes = []
    for i, f in enumerate(forget):
        a = int(tensors["sigmoid"][clip(f, 511) + 511])
        h = [*h[:i], h[i] + (((2**12 - a) * (clip(candidate[i], 2**14) - h[i]) + 2**11) >> 12), *h[i + 1 :]]
        hidden = clip((h[i] + 2**3) >> 4, 2**10)  # from scale 2**-12 to 2**-8
        codes.append(to_code(hidden * swish(clip(gate[i], 127)), 15))  # from 2**-20 to 2**-5
    return add_residual(x, linear(tensors, f"{name}.out", 8, codes)), h


def gated_mlp(tensors: Tensors, name: str, x: Row) -> Row:
    n = rms_norm(x)
    gate, up = (linear(tensors, f"{name}.{part}", 5, n) for part in ("gate", "up"))
    codes = [
        to_code(swish(clip(g, 127)) * clip(u, 127), 12) for g, u in zip(gate, up, strict=True)
    ]  # from 2**-17 to 2**-5
    return add_residual(x, linear(tensors, f"{name}.out", 8, codes))


def softmax(table: Sequence[int], logits: Row) -> Row:
    """floor(e (2**24 - K) / sum e) + 1, what is left going to the first largest."""
    e = [table[min(max(logits) - logit, len(table) - 1)] for logit in logits]
    share = (2**24 - len(e)) / sum(e)
    frequencies = [math.floor(each * share) + 1 for each in e]
    frequencies[frequencies.index(max(frequencies))] += 2**24 - sum(frequencies)
    return frequencies


def network(tensors: Tensors, config: Any, rows: Row, states: list[Row]) -> Row:
    """One step of one lane: rows of the context tables -> logits; the states move on in place."""
    names = [f"ngrams.{i}" for i in range(len(config.ngrams))] + ["match"]
    codes = [
        code for name, row in zip(names, rows, strict=True) for code in tensors[f"{name}.table"][row].tolist()
    ]
    x = [clip(v, 2**15 - 1) for v in linear(tensors, "inputs", 8, codes)]
    for i in range(config.depth):
        x, states[i] = recurrent(tensors, f"recurrent.{i}", x, states[i])
        if config.hidden:
            x = gated_mlp(tensors, f"mlps.{i}", x)
    return [clip(v, 2**13) for v in linear(tensors, "head", 8, rms_norm(x))]

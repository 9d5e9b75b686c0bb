"""Bytes from a model of one's own: a function from the past to integer PMFs, and the codec that it makes.

    python examples/own_model.py            counts, in integers: these bytes decode on every machine
    python examples/own_model.py --torch    a small torch module, trained here on what follows in the book

The beginning of a book is coded and decoded, and its size printed beside the model's negative log-likelihood.

The bytes of the second decode only where its floats come out the same: on this machine, with this PyTorch, one text
at a time, with as many threads. Elsewhere the last bit of a logit may differ, which may move a frequency, and all that
follows is lost. For files that are kept, make the network of the exact layers (catzip.models.layers), whose tensors are
integers, and train it with catzip: see docs/BRING-YOUR-OWN-MODEL.md.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from catzip.compressor.coding import PMF, Categorical, Codec, Ledger, Mapped, Serial, Stack

BOOK = Path(__file__).with_name("moby-dick.txt").read_bytes()
TEXT, OTHER = BOOK[:4000], BOOK[4000:]
SYMBOLS = 256

Predict = Callable[[bytes], PMF]


def codec(predict: Predict, count: int) -> Codec[bytes]:
    """The codec of `count` bytes, each with the PMF [1, 256] that `predict` gives of those before it."""

    def steps():
        past = bytearray()
        while len(past) < count:
            symbol = yield Categorical(predict(bytes(past)))
            past.append(int(symbol[0]))

    def symbols(data: bytes):
        return list(np.frombuffer(data, np.uint8).reshape(-1, 1))

    return Mapped(Serial(steps), symbols, lambda coded: bytes(np.concatenate(coded).astype(np.uint8)))


def counts(past: bytes) -> PMF:
    """Integers alone: what came after the last two bytes before, then what came after the last one, then anything."""
    seen, weights = np.frombuffer(past, np.uint8), np.ones(SYMBOLS, np.int64)
    for order, weight in ((0, 1), (1, 100), (2, 1000))[: len(seen) + 1]:
        same = np.ones(max(0, len(seen) - order), bool)
        for back in range(1, order + 1):
            same &= seen[order - back : len(seen) - back] == seen[-back]
        weights += weight * np.bincount(seen[order:][same], minlength=SYMBOLS)
    return PMF.of_weights(weights[None])


def from_logits(logits: np.ndarray) -> PMF:
    """The softmax of floats [1, 256], as integers that sum to 2**24: exact wherever the logits are the same."""
    return PMF.of_weights(np.rint(np.exp(logits - logits.max()) * 2**30).astype(np.int64))


def network(reach: int = 3) -> Predict:
    """A torch module of one's own: from the last `reach` bytes to logits."""
    import torch

    torch.manual_seed(1)
    torch.set_num_threads(1)
    embed, deep = torch.nn.Embedding(SYMBOLS, 24), torch.nn.Linear(24 * reach, 128)
    net = torch.nn.Sequential(embed, torch.nn.Flatten(), deep, torch.nn.ReLU(), torch.nn.Linear(128, SYMBOLS))
    data = torch.tensor(list(OTHER))
    windows, optimiser = data.unfold(0, reach + 1, 1), torch.optim.Adam(net.parameters(), 0.005)
    for _ in range(100):
        part = windows[torch.randint(len(windows), (512,))]
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(part[:, :-1]), part[:, -1]).backward()
        optimiser.step()

    def predict(past: bytes) -> PMF:
        with torch.no_grad():
            return from_logits(net(torch.tensor([list((bytes(reach) + past)[-reach:])])).double().numpy())

    return predict


def main() -> None:
    own = codec(network() if "--torch" in sys.argv[1:] else counts, len(TEXT))
    ledger, stack = Ledger(), Stack()
    own.push(ledger, TEXT)
    own.push(stack, TEXT)
    data = stack.to_bytes()
    assert own.pop(Stack.from_bytes(data)) == TEXT
    print(f"text {len(TEXT)} bytes, nll {ledger.balance / 8:.1f} bytes, coded {len(data)} bytes")


if __name__ == "__main__":
    main()

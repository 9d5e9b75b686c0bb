"""PMFs, stacks and codecs: all of the compressor that models may import, and what codes with a model of one's own.

    PMF                                         integer probabilities, the only form in which they reach a coder
    Stack, Ledger, RandomBits                   what codecs run on: bytes, bits counted, samples
    Categorical, Serial, Mapped, Quantized      codecs, and how they compose
    BitsBack, Chain                             codecs with latent variables

    >>> import numpy as np
    >>> from catzip.compressor.coding import PMF, Categorical, Ledger, Stack
    >>> coin = Categorical(PMF.of_weights(np.array([[3, 1]] * 1000)))  # a thousand throws, each 3 to 1 for 0
    >>> x = np.tile([0, 0, 1, 0], 250)
    >>> stack, ledger = Stack(), Ledger()
    >>> coin.push(ledger, x)
    >>> round(ledger.balance / 8, 1)  # bytes, ideally
    101.4
    >>> coin.push(stack, x)
    >>> len(stack.to_bytes())
    105
    >>> bool((coin.pop(stack) == x).all())
    True

docs/BRING-YOUR-OWN-MODEL.md begins here. (Models also import `compressor.errors`.) What is public is imported when it
is asked for: whoever trains knows PMFs, and does without the coder.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "PMF",
    "BitsBack",
    "Categorical",
    "Chain",
    "Codec",
    "Ledger",
    "Mapped",
    "Quantized",
    "RandomBits",
    "Serial",
    "Stack",
]

if TYPE_CHECKING:
    from .bitsback import BitsBack, Chain
    from .codec import Categorical, Codec, Mapped, Serial
    from .ledger import Ledger
    from .pmf import PMF
    from .quantized import Quantized
    from .stack import RandomBits, Stack
else:
    _MODULES = {
        "bitsback": ("BitsBack", "Chain"),
        "codec": ("Categorical", "Codec", "Mapped", "Serial"),
        "ledger": ("Ledger",),
        "pmf": ("PMF",),
        "quantized": ("Quantized",),
        "stack": ("RandomBits", "Stack"),
    }

    def __getattr__(name: str) -> Any:
        """Import what is public, when it is first asked for."""
        for module, names in _MODULES.items():
            if name in names:
                found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

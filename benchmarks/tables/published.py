"""Figures that papers have published, to stand beside ours. Data only.

They are of other bytes and other machines: of the standard test splits, which are not what is measured here unless a
table says so. `NLL` is a likelihood or, where it stands as "<=", a bound on it; `coded` is of files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One system, in bits per character or per dimension; None where nothing was published.

    steps  network calls for an item, where the system has a choice
    """

    system: str
    steps: int | None = None
    nll: str | None = None
    coded: float | None = None
    single: float | None = None

    @property
    def bits(self) -> float | None:
        """For a plot: coded, or the likelihood."""
        if self.coded is not None or self.nll is None:
            return self.coded
        return float(self.nll.removeprefix("<= "))


@dataclass(frozen=True)
class Published:
    """What was published about one test set.

    split   on which data
    """

    split: str
    figures: tuple[Figure, ...]


_TEXT8 = (
    Figure("OA-ARDM (2110.02037)", 250, "1.43"),
    Figure("OA-ARDM (2110.02037)", 20, "1.51"),
    Figure("autoregressive transformer (2110.02037)", nll="1.35"),
    Figure("autoregressive transformer, 12 layers", nll="1.23"),
    Figure("transformer of 64 layers", nll="1.13"),
    Figure("Transformer-XL", nll="1.08"),
    Figure("D3PM absorbing (2107.03006)", 1000, "<= 1.45"),
    Figure("D3PM absorbing (2107.03006)", 256, "<= 1.47"),
    Figure("D3PM absorbing (2107.03006)", 20, "<= 1.56"),
)

_CIFAR10 = (
    Figure("PNG", coded=5.87, single=5.87),
    Figure("WebP lossless", coded=4.61, single=4.61),
    Figure("FLIF", coded=4.19, single=4.19),
    Figure("Bit-Swap", coded=3.82),
    Figure("HiLLoC", coded=3.56, single=4.19),
    Figure("IDF (1905.07376)", nll="3.30", coded=3.32, single=3.32),
    Figure("IDF++ (2006.12459)", nll="3.24", coded=3.26, single=3.26),
    Figure("LBB", coded=3.12),
    Figure("iFlow", coded=3.12),
    Figure("OA-ARDM (2110.02037)", 3072, "2.69"),
    Figure("OA-ARDM (2110.02037)", 500, coded=2.73, single=2.73),
    Figure("OA-ARDM (2110.02037)", 100, coded=2.75, single=2.75),
    Figure("ARDM-Upscale 4 (2110.02037)", nll="2.64"),
    Figure("ARDM-Upscale 4 (2110.02037)", 500, coded=2.71, single=2.71),
    Figure("ARDM-Upscale 4 (2110.02037)", 100, coded=2.76, single=2.76),
)

_KODAK = (
    Figure("PNG", coded=4.35),
    Figure("L3C", coded=3.26),
    Figure("WebP lossless", coded=3.18),
    Figure("FLIF", coded=2.90),
    Figure("JPEG XL", coded=2.87),
    Figure("DLPR", coded=2.86),
    Figure("CALLIC", coded=2.54),
)

PUBLISHED = {
    "text8": Published("the standard test split, the last 5,000,000 bytes of text8", _TEXT8),
    "cifar10": Published("the full test set, 10,000 images", _CIFAR10),
    "kodak": Published("all 24 images of the set", _KODAK),
}
"""By name of the data set."""

"""Weights that were replaced, so that a file which was coded with them can say where they are.

Each has a file under tests/golden/neural/superseded that was coded with them.
"""

from __future__ import annotations

from typing import NamedTuple


class Superseded(NamedTuple):
    """Weights that are in the package no more: of which model, and the last release that has them."""

    model: str
    release: str


SUPERSEDED: dict[str, Superseded] = {
    "01ac3b677e86212f": Superseded("ar-bytes", "0.1.0"),
    "3e01f0b84af6db81": Superseded("ardm-cifar10", "0.1.0"),
    "2287a3d219f1e68e": Superseded("ardm-upscale-cifar10", "0.1.0"),
    "c0444d14c83d499c": Superseded("ar-text8", "0.1.0"),
    "0b79bae9327f406d": Superseded("idf-cifar10", "0.1.0"),
    "fec8de6616067781": Superseded("ardm-text8", "0.1.0"),
    "197e751a4293f008": Superseded("ardm-upscale-cifar10", "0.2.0"),
    "0d0aadc6a256cecf": Superseded("ardm-cifar10", "0.2.0"),
    "4d2b3e2d85c22486": Superseded("ardm-text8", "0.2.0"),
    "a3e31122677f7958": Superseded("ar-bytes", "0.2.0"),
    "9bcf14b2ffc10a39": Superseded("ar-bytes-s", "0.2.0"),
    "111362eb716bdf70": Superseded("ar-text8", "0.3.0"),
    "233ffb8219979ad8": Superseded("ardm-text8", "0.3.0"),
    "00c2f03382efd1b4": Superseded("ar-bytes", "0.3.0"),
    "800055ca301db183": Superseded("idf-photo", "0.4.0"),
    "95199f9abc1c68a8": Superseded("ar-bytes", "0.4.0"),
    "a86294659e2c1529": Superseded("ardm-cifar10", "0.5.0"),
    "f7238a1e6b72abf5": Superseded("ardm-upscale-cifar10", "0.5.0"),
    "4f3c2b26ffc93e47": Superseded("idf-photo", "0.5.0"),
    "c4139dfb62f2d86b": Superseded("ar-text8", "0.5.0"),
    "72eb8087f184f665": Superseded("idf-cifar10", "0.5.0"),
}
"""By fingerprint, in hexadecimal digits."""


def where_to_find(fingerprint: str) -> str:
    """What to do where no installed model has this fingerprint: the end of an error message."""
    if found := SUPERSEDED.get(fingerprint):
        return (
            f"it is the {found.model} of catzip {found.release}, replaced since; install catzip "
            f"{found.release} (CHANGELOG.md names its commit), or put its models/weights/{found.model}.safetensors, "
            "under another name, into a folder that CATZIP_MODELS names"
        )
    return (
        "install the release of catzip that made the file, or put the model's .safetensors file into a folder that "
        "CATZIP_MODELS names; if no release knows the model, the file is damaged"
    )

"""The NLL of a picture that was unpacked before it was coded: of the symbols that its model decodes."""

import io
from pathlib import Path

import numpy as np
import pytest
from helpers import MODELS, Models, compress, decompress
from image_models import ImageModel

from catzip.benchmarks.data.imagefile import same_image
from catzip.benchmarks.measuring.likelihood import likelihood
from catzip.compressor.coding.pmf import TOTAL

image = pytest.importorskip("PIL.Image")


def test_a_png_that_was_unpacked(tmp_path: Path) -> None:
    model = ImageModel()
    models = Models(*MODELS.models, model)
    size = (120, 200, 3)
    steps = np.random.RandomState(1).choice(256, size, p=model.freqs / TOTAL)
    pixels = np.cumsum(steps, axis=1).astype(np.uint8)
    out = io.BytesIO()
    image.fromarray(pixels).save(out, "PNG")
    packed = compress(out.getvalue(), models, model=model.name)
    assert same_image(decompress(packed, models), out.getvalue())
    (tmp_path / "photo.catz").write_bytes(packed)
    coded = likelihood([(tmp_path / "photo.catz", out.getvalue())], models)
    assert (coded.kinds, coded.symbols) == ({"coded": 1}, pixels.size)
    assert coded.nll_bits == model.nll(pixels.ravel(), (200, 3))
    assert (
        coded.coded_bytes is not None and 0 < 8 * coded.coded_bytes - coded.nll_bits < 0.01 * coded.nll_bits
    )

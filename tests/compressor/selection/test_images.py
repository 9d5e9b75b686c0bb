"""Images through the pipeline: geometry in the plan, whole rows in a frame, and where no model of images is used."""

import io
import random
import re

import numpy as np
import pytest
from helpers import TEXT, ItemModel, Models, Pipe, TableModel, compress, decompress, npy
from hypothesis import given, settings
from hypothesis import strategies as st
from image_models import ImageModel, Plan, bmp, files, picture, pnm, tiff, unpacked
from test_items import letters

from catzip.compressor.errors import CorruptError, UnsuitableContentError
from catzip.compressor.format.container import Frame
from catzip.compressor.pipeline import compress_stream, decompress_stream, list_frames, read_range
from catzip.compressor.selection import chooser, probing
from catzip.compressor.selection.items import Content

MODELS = Models(TableModel(), ItemModel(), ImageModel(), default="table-bytes")
FILES = files(24, 30)
PPM = pnm(picture(100, 30, 3))
START, STRIDE = len(PPM) - 9000, 90


def frames_of(blob: bytes) -> tuple[Frame, ...]:
    return list_frames(io.BytesIO(blob)).frames


def coded(data: bytes, models: Models = MODELS, **options) -> bytes:
    """Compressed, and decompressed again, by file and by pipe."""
    blob, out = compress(data, models, **options), io.BytesIO()
    assert decompress(blob, models) == data
    assert len(blob) <= len(data) + 64
    compress_stream(Pipe(data, 1000), out, models=models, **options)
    assert decompress(out.getvalue(), models) == data
    return blob


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("model", [None, "table-image"])
def test_files_of_every_kind(name: str, model: str | None):
    data, content = FILES[name]
    (frame,) = frames_of(coded(data, MODELS, model=model))
    height, width, samples = content.shape
    channels = 3 if samples >= 3 else 1
    assert (frame.kind, frame.medium) == ("coded", "image")
    assert (frame.plan, frame.symbols) == ((width, channels), height * width * channels)


@pytest.mark.parametrize("frame_size", [START + STRIDE - 1, START + STRIDE, 3000, 6000, 8000, 1 << 24])
@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_frames_hold_whole_rows(source, frame_size: int):
    out = io.BytesIO()
    compress_stream(source(PPM), out, models=MODELS, frame_size=frame_size)
    frames = frames_of(out.getvalue())
    assert decompress(out.getvalue(), MODELS) == PPM
    if frame_size >= START + STRIDE:
        assert all((frame.start + frame.length - START) % STRIDE == 0 for frame in frames)
    if frame_size in (6000, 8000):  # 64 rows are 5760 bytes
        assert [frame.length for frame in frames] == [START + 5760, 3240]
        assert all(frame.kind == "coded" and frame.plan == (30, 3) for frame in frames)
    for start in (0, START - 5, 5_000, len(PPM) - 20):
        assert read_range(io.BytesIO(out.getvalue()), start, 50, MODELS) == PPM[start : start + 50]


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(list(FILES)),
    cut=st.integers(0, 3000),
    tail=st.one_of(st.binary(max_size=60), st.just(b"x" * 2000)),
    frame_size=st.integers(1, 4000),
    model=st.sampled_from([None, "table-image"]),
)
def test_restores_images_whole_cut_or_with_a_tail(name, cut, tail, frame_size, model):
    for data in (FILES[name][0], FILES[name][0] + tail, FILES[name][0][:cut]):
        fits = Content.of(data, len(data)).raster is not None
        coded(data, MODELS, frame_size=max(frame_size, len(data) // 40), model=model if fits else None)


def test_bytes_around_an_image_are_coded_as_bytes():
    prose = "".join(random.Random(1).choices(TEXT, k=9000)).encode()
    blob = coded(PPM + prose, MODELS, frame_size=START + 5760)
    assert [frame.medium for frame in frames_of(blob)] == ["image", "image", "bytes", "bytes"]
    blob = coded(PPM + prose, MODELS, frame_size=START + 5760, model="table-image")
    assert [frame.medium for frame in frames_of(blob)] == ["image", "image", None, None]


@pytest.mark.parametrize("first", [True, False])
def test_a_tiff_with_its_directory_anywhere(first: bool):
    data = tiff(picture(150, 100, 3), first=first)
    for frame_size in (1 << 24, 30_000):
        for source in (io.BytesIO(b"other" + data), Pipe(data)):
            if not isinstance(source, Pipe):
                source.seek(5)
            out = io.BytesIO()
            compress_stream(source, out, models=MODELS, frame_size=frame_size)
            assert decompress(out.getvalue(), MODELS) == data
            seen = first or frame_size > len(data) or isinstance(source, io.BytesIO)
            assert (frames_of(out.getvalue())[0].medium == "image") == seen


def test_without_a_model_of_images():
    models = Models(TableModel(), ItemModel(), default="table-bytes")
    for name in ("npy 3 of 8 bits", "bmp 3 of 8 bits"):
        assert all(frame.medium != "image" for frame in frames_of(coded(FILES[name][0], models)))


def test_models_of_items_come_first():
    data = npy(letters(40))  # [40, 4, 3]
    assert [frame.medium for frame in frames_of(coded(data, MODELS))] == ["array"]
    smooth = npy(picture(40, 4, 3))
    assert [frame.medium for frame in frames_of(coded(smooth, MODELS, model="table-image"))] == ["image"]
    with pytest.raises(UnsuitableContentError, match=r"; models for it: table-array, table-image$"):
        compress(data, Models(*MODELS.models, Other()), model="other")
    with pytest.raises(UnsuitableContentError, match=r"; models for it: table-image$"):
        compress(npy(picture(5, 7, 3)), MODELS, model="table-array")


class Other(ItemModel):
    """For items that there are not."""

    shape = (7, 7)

    def __init__(self) -> None:
        super().__init__("other")


class Spy(ImageModel):
    """Notes how it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.probed: list[tuple[int, Plan]] = []

    def nll(self, symbols, plan):
        self.probed.append((len(symbols), plan))
        return super().nll(symbols, plan)


def screenshot() -> np.ndarray:
    """Windows and lines of text [200, 200, 3], which come again and again."""
    glyphs = np.random.RandomState(0).randint(0, 2, (20, 10, 5)) * 255
    text = glyphs[np.random.RandomState(1).randint(0, 20, (20, 40)) % np.arange(1, 21)[:, None]]
    page = text.transpose(0, 2, 1, 3).reshape(200, 200)
    return np.repeat(page[:, :, None], 3, axis=2).astype(np.uint8)


def test_a_default_model_is_probed_once_on_crops():
    model = Spy()
    models = Models(model, default=None)
    assert [frame.kind for frame in frames_of(compress(bmp(picture(150, 200, 3)), models))] == ["coded"]
    assert model.probed == [(4 * 64 * 64 * 3, (64, 3))]
    noise = np.random.RandomState(0).randint(0, 256, (150, 200, 3)).astype(np.uint8)
    assert [frame.kind for frame in frames_of(compress(bmp(noise), models))] == ["stored"]
    assert [frame.kind for frame in frames_of(compress(bmp(screenshot()), models))] == ["xz"]
    assert len(model.probed) == 3


@pytest.mark.parametrize(
    "shape", [(1, 90_000, 1), (90_000, 1, 1), (70, 5000, 3), (5000, 70, 1), (2, 9000, 3), (64, 64, 3)]
)
def test_crops_are_of_the_image(shape: tuple[int, int, int]):
    image = np.arange(np.prod(shape)).reshape(shape)
    crops = probing.sample_image(image)
    each = len(crops) // 4
    area = min(shape[0] * shape[1], 4096)
    assert crops.shape[2] == shape[2] and 0.9 * area <= each * crops.shape[1] <= area
    for crop in crops.reshape(4, each, -1, shape[2]):
        y, x, _ = np.unravel_index(crop[0, 0, 0], shape)
        assert (image[y : y + each, x : x + crops.shape[1]] == crop).all()


def test_small_content_is_not_probed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chooser, "probe", lambda *_: pytest.fail("probed"))
    prose = "".join(random.Random(2).choices(TEXT, k=10_000)).encode()
    for data, medium in ((prose, "bytes"), (pnm(picture(100, 100, 3)), "image")):
        assert [frame.medium for frame in frames_of(coded(data, MODELS))] == [medium]


CODES = (
    "; the model table-image codes images, grey or colour, of 8 or 16 bits, in files of the kinds PNG, "
    "WebP (lossless), PNM, BMP, TIFF (uncompressed) and .npy; leave the model (-m) out to have it chosen by the content"
)
UNSUITABLE = {
    "text": (TEXT.encode(), "this is not such an image"),
    "nothing": (b"", "this is not such an image"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "this is not such an image"),
    "less than a row": (PPM[: START + STRIDE - 1], "this is not such an image"),
    "floats": (npy(np.zeros((5, 5), "<f4")), "this is an array of shape [5, 5], float32"),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_is_no_image_is_refused_where_a_model_of_images_is_named(name: str):
    data, message = UNSUITABLE[name]
    with pytest.raises(UnsuitableContentError, match=f"^{re.escape(message + CODES)}$"):
        compress(data, MODELS, model="table-image")
    coded(data, MODELS)


def test_another_geometry_is_noticed():
    """The plan of the file is what the decoder goes by; the model of these tests is one that needs it."""
    models = Models(ImageModel())
    data = unpacked(picture(24, 30, 3))
    for wrong in ((90, 1), (15, 3), (10, 3)):
        blob = compress(data, models, plan_for=lambda model, count, shape, wrong=wrong: wrong)
        assert decompress(blob, models) == data
        damaged = compress(data, models).replace(b"\2\x1e\3", bytes([2, *wrong]), 1)
        with pytest.raises(CorruptError):
            decompress_stream(io.BytesIO(damaged), io.BytesIO(), models=models)

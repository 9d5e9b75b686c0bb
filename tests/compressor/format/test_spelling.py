"""One effect, one spelling: damage of any one byte of a file is noticed, by an error and not by luck."""

import io
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from golden_networks import FOLDER
from golden_neural_cases import FLOWING, GREY, IMAGES, LETTERS, PHOTO, PROSE, npy
from helpers import MODELS, TESTS, compress, decompress
from tiny_models import flow

from catzip.compressor.errors import CatzipError, CorruptError
from catzip.compressor.format import lzma2, varint
from catzip.compressor.media import image, planes
from catzip.compressor.pipeline import decompress_stream
from catzip.compressor.selection import chooser
from catzip.models.families.idf import spelling
from catzip.models.families.idf.colour import CANDIDATES, apply_rct, is_canonical_rct, undo_rct
from catzip.models.families.idf.corrections import CorrectionsCodec, best_spread
from catzip.models.registry import Registry

GOLDEN = TESTS / "golden" / "good"


def unnoticed(
    data: bytes, models: object, values: Callable[[int, int], Iterable[int]]
) -> list[tuple[int, int]]:
    """Every place and value for which the file with this one byte changed decodes."""
    found = []
    for at, byte in enumerate(data):
        for value in values(at, byte):
            if value == byte:
                continue
            try:
                decompress_stream(
                    io.BytesIO(data[:at] + bytes([value]) + data[at + 1 :]), io.BytesIO(), models=models
                )
            except CatzipError:
                continue
            found.append((at, value))
    return found


def every(at: int, byte: int) -> range:
    return range(256)


def few(at: int, byte: int) -> set[int]:
    return {byte ^ 1, byte ^ 0x10, (byte + 1) % 256}


@pytest.mark.parametrize("name", ["concatenated", "empty", "one-byte", "stored", "xz"])
def test_any_byte_of_a_file_without_a_network(name: str):
    assert (
        unnoticed((GOLDEN / f"{name}.catz").read_bytes(), MODELS, every if name != "concatenated" else few)
        == []
    )


NOISE = np.random.RandomState(0).bytes(200_000)

BMP = (
    b"BM"
    + (54 + 8 * 5).to_bytes(4, "little")
    + bytes(4)
    + (54).to_bytes(4, "little")
    + (40).to_bytes(4, "little")
    + (2).to_bytes(4, "little")
    + (5).to_bytes(4, "little")
    + bytes.fromhex("01001800")
    + bytes(24)
    + b"".join(bytes([10 * y, 20, 30, 40 + y, 50, 60, 0, 0]) for y in range(5))
)
"""2 x 5 pixels in colour, each row with two bytes of padding."""

CONTENT: dict[str, tuple[str, bytes]] = {
    "bytes": ("tiny-bytes", PROSE[:70]),
    "mixture": ("tiny-refined", PROSE[:70]),
    "letters": ("tiny-text27", LETTERS[:70]),
    "prose as letters": ("tiny-text27", b"So it goes, said Mr. Cat; McCat went. " * 3),
    "chunks": ("tiny-chunks", LETTERS[:70]),
    "images": ("tiny-images", npy(np.load(io.BytesIO(IMAGES))[:4])),
    "array": ("tiny-flow", npy(np.load(io.BytesIO(FLOWING))[:4])),
    "photo": ("tiny-photo", npy(np.load(io.BytesIO(PHOTO))[0, :20, :20])),
    "grey": ("tiny-photo", npy(np.load(io.BytesIO(GREY))[:20, :12])),
}
"""Small content for the golden network of every family, and what of it lies beside the symbols."""


@pytest.mark.parametrize("name", CONTENT)
def test_any_byte_of_a_coded_file(name: str, monkeypatch: pytest.MonkeyPatch):
    network, content = CONTENT[name]
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    models = Registry("cpu", threads=1)
    with monkeypatch.context() as patch:
        patch.setattr(lzma2, "compress", lambda data, *more: data + bytes(9))  # is made to lose
        patch.setattr(chooser, "_BREAK_EVEN", 0)
        made = compress(content, models=models, model=network)
    assert models.by_name(network).fingerprint in made
    assert decompress(made, models) == content
    # Behind the plan and the side stream one byte of a stack is like another, and decoding takes its time.
    assert (
        unnoticed(made, models, lambda at, byte: few(at, byte) if at < 45 else [byte ^ 4] * (at % 8 == 0))
        == []
    )


def test_a_stored_piece_has_one_length():
    data = (GOLDEN / "stored.catz").read_bytes()
    assert data[7] == 6  # 64 bytes
    with pytest.raises(CorruptError, match="one spelling"):
        decompress(data[:7] + varint.encode(62 + 64) + data[8:])


@pytest.mark.parametrize(
    "content", [b"a" * 5000, bytes(range(256)) * 9, np.random.RandomState(0).bytes(3000) + bytes(9)]
)
def test_chunks_of_xz_begin_as_they_do(content: bytes):
    """The properties of LZMA2 hardly matter to what repeats, and a reset does not to what is stored."""
    stream = lzma2.compress(content)
    assert lzma2.decompress(stream, len(content)) == content
    for at in range(len(stream)):
        for value in (
            {0, 1, 2, 0x5C, 0x5E, 0x80, 0xA0, 0xC0, 0xE0, stream[at] ^ 1} if at < 9 else few(at, stream[at])
        ):
            changed = stream[:at] + bytes([value]) + stream[at + 1 :]
            if value != stream[at]:
                try:
                    assert lzma2.decompress(changed, len(content)) != content
                except CorruptError:
                    continue


def test_large_streams_are_what_they_were():
    """Several chunks: compressed, stored, compressed after these."""
    content = b"so it goes " * 300_000 + NOISE + b"and so on " * 1000 + NOISE[::-1]
    assert lzma2.decompress(lzma2.compress(content), len(content)) == content
    content = NOISE + b"so it goes " * 30_000
    assert lzma2.decompress(lzma2.compress(content), len(content)) == content


@pytest.mark.parametrize("seed", range(30))
def test_planes_have_one_filter(seed: int):
    """Whatever `pack` writes is read; the same with another filter byte is refused, or is another plane."""
    random = np.random.RandomState(seed)
    shape = tuple(random.randint(1, 5, 2))
    high = random.randint(0, 3, shape).astype(np.uint8) if seed % 2 else None
    plane = random.randint(0, 1 + seed % 4, shape).astype(np.uint8)
    packed = planes.pack(plane, high)
    assert np.array_equal(planes.unpack(packed, 0, shape, high)[0], plane)
    for head in range(256):
        data = bytes([head]) + packed[1:]
        try:
            found, end = planes.unpack(data, 0, shape, high)
        except CorruptError:
            continue
        assert head == packed[0] or end != len(data) or not np.array_equal(found, plane)


def test_plans_that_encoders_write_are_plain():
    for name in ("flow", "flow-grey", "flow-array", "flow-grey-array"):
        model = flow(name)
        for count, shape in (
            (1, ()),
            (89, ()),
            (5 * 7 * 3, (5, 7, 3)),
            (300 * 2, (300, 2, 1)),
            (60, (1, 60, 1)),
        ):
            plan = model.plan(count, shape=shape)
            for made in {plan, plan[:4]}:  # as catzip 0.1.0 made them
                assert sum(model.segment_sizes(count, made)) == count


PLANS: dict[str, tuple[str, int, tuple[int, ...]]] = {
    "a side beyond the image": ("flow", 5 * 6 * 3, (6, 3, 9, 682, 3)),
    "a smaller side that cuts nothing": ("flow", 5 * 6 * 3, (6, 3, 7, 891, 3)),
    "a side that cuts as a smaller one": ("flow", 5 * 6 * 3, (6, 3, 5, 1456, 3)),
    "more tiles than there are": ("flow", 5 * 6 * 3, (6, 3, 8, 1455, 3)),
    "fewer tiles, but all": ("flow", 5 * 6 * 3, (6, 3, 8, 1, 3)),
    "no whole row": ("flow", 20, (30, 1, 8, 100, 2)),
    "more images than there are": ("flow-array", 2 * 90, (3,)),
    "more images than there are whole": ("flow-array", 2 * 90 + 5, (2,)),
}


@pytest.mark.parametrize("name", PLANS)
def test_other_spellings_of_a_plan_are_refused(name: str):
    tiny, count, plan = PLANS[name]
    with pytest.raises(CorruptError, match="not written in its one spelling"):
        flow(tiny).segment_sizes(count, plan)


def test_plans_have_one_spelling():
    """One of all sides and numbers of tiles that cut an image alike is plain."""
    height, width, own = 11, 14, 6
    effects: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for side in range(1, 20):
        cuts = spelling._cut(height, width, side)
        lengths = [spelling.lengths(length, side) for length in (height, width)]
        most = max(a * b for _, a in lengths[0] for _, b in lengths[1])
        for each in range(1, 1000):
            if spelling.is_plain_image(height * width, (width, 1, side, each), own, True):
                effects.setdefault((cuts, min(each, most)), []).append((side, each))
    assert len(effects) > 20 and all(len(found) == 1 for found in effects.values())


def test_spreads_are_those_of_the_weights():
    sent = CorrectionsCodec({(0, 0): 2})
    weights = {(0, 0): np.array([[5, 0, -1], [0, 0, 0]])}
    spreads, digits = sent._digits(weights)
    assert spreads.tolist() == [best_spread(weights[0, 0][0]), 0]
    assert np.array_equal(sent._weights([spreads, digits])[0, 0], weights[0, 0])
    for other in set(range(1, 16)) - {int(spreads[0])}:
        with pytest.raises(CorruptError, match="spreads"):
            sent._weights([np.array([other, 0], np.int32), digits])
    with pytest.raises(CorruptError, match="spreads"):  # of weights that are all 0
        sent._weights([np.array([0, 7], np.int32), np.full(3, 63, np.int32)])


def test_corrections_of_what_an_image_has_not():
    """One row has no phases C and D."""
    model = flow("flow-grey")
    assert model._flow.empty_heads((1, 9), 1) == {(0, 0), (2, 0)}
    assert model._flow.empty_heads((9, 9), 1) == set()


def test_colour_transforms_have_one_spelling():
    """One of all pairs that make the same image of the same planes is canonical; all that encoders choose are."""
    random = np.random.RandomState(4)
    for image_ in (
        np.repeat(random.randint(0, 256, (4, 4, 1)), 3, -1).astype(np.uint8),  # grey
        (100 + random.randint(0, 2, (4, 4, 3))).astype(np.uint8),
        random.randint(0, 256, (4, 4, 3)).astype(np.uint8),
    ):
        effects: dict[bytes, list[tuple[int, int]]] = {}
        for a in range(-8, 8):
            for b in range(-8, 8):
                made = undo_rct(image_[None], np.array([[a, b]])).tobytes()
                found = effects.setdefault(made, [])
                if is_canonical_rct(image_, np.array([a, b])):
                    found.append((a, b))
        assert all(len(found) == 1 for found in effects.values())
        first = undo_rct(image_[None], np.array([[0, 0]])).tobytes()
        assert effects[first] == [(0, 0)]
    colourful = random.randint(0, 256, (4, 4, 3)).astype(np.uint8)
    for pair in CANDIDATES:
        assert is_canonical_rct(apply_rct(colourful[None], np.array([pair]))[0], np.array(pair))


def test_an_image_beside_its_pixels():
    """Padding and 16 bits through the medium itself."""
    for content in (BMP, b"P5 4 3 65535\n" + bytes(range(1, 25))):
        symbols, side = image.split(content)
        assert image.join(symbols, side, len(content)) == content
        for at in range(len(side)):
            for value in few(at, side[at]):
                changed = side[:at] + bytes([value]) + side[at + 1 :]
                try:
                    assert image.join(symbols, changed, len(content)) != content, (at, value)
                except CorruptError:
                    continue

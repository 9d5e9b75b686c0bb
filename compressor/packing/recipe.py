"""Recipes: how an unpacked picture is packed again. What a packing frame holds.

format (1) | parameters of the format: none but for a PNG that comes back byte for byte, see exact.py
"""

from ..errors import CorruptError, NewerVersionError
from . import png, webp
from .asbytes import AsBytes, NotReproduced
from .exact import Exact
from .form import Unpacked

PNG, PNG_EXACT, WEBP = range(3)
NAMES = {PNG: "png", PNG_EXACT: "png-exact", WEBP: "webp"}
"""What listings call the formats."""

MAX_RECIPE = 1 << 24
"""Bytes that a recipe can have."""

MAX_CONTENT = 1 << 28
"""Bytes that an unpacked picture can have, which is held whole when it is packed: 256 MiB."""

MAX_FILE = MAX_CONTENT + (1 << 20)
"""Bytes of a file that is looked at: deflate makes nothing much larger."""


def name_of(recipe: bytes) -> str:
    """What the format of a recipe is called. Raises NewerVersionError for one that is not known."""
    name = NAMES.get(recipe[0]) if recipe else None
    if name is None:
        raise NewerVersionError(
            f"the file packs a picture in an unknown way, {recipe[:1].hex()}: install a newer catzip"
        )
    return name


def unpack(data: bytes, byte_exact: bool) -> tuple[bytes, bytes]:
    """A PNG or WebP file, unpacked (see form.py), and its recipe.

    byte_exact  whether the file is to come back byte for byte

    Raises AsBytes for a file that cannot be unpacked, NotReproduced for one that could but for `byte_exact`.
    """
    if not data.startswith(webp.RIFF):
        unpacked, stream = png.unpack(data)
        parameters = bytes([PNG_EXACT]) + Exact.of(data, stream).to_bytes() if byte_exact else bytes([PNG])
    else:
        unpacked, parameters = webp.unpack(data), bytes([WEBP])
        if byte_exact:
            raise NotReproduced("WebP is not made again byte for byte")
    content = unpacked.to_bytes()
    if len(content) > MAX_CONTENT or len(parameters) > MAX_RECIPE:
        raise AsBytes(f"its pixels and chunks are {len(content)} bytes, more than {MAX_CONTENT}")
    return content, parameters


def pack(content: bytes, recipe: bytes, repack: bool = False) -> bytes:
    """The file that `content` is the unpacked form of.

    repack  pack a PNG anew where the recipe would make the same bytes again

    Raises CorruptError; PackingError where the zlib here does not make the same bytes; MissingDependencyError.
    """
    unpacked, name = Unpacked.from_bytes(content), name_of(recipe)
    if name.partition("-")[0] != unpacked.kind:
        raise CorruptError(f"a recipe for {name} does not fit its content, which is {unpacked.kind}")
    if name != NAMES[PNG_EXACT] and len(recipe) > 1:
        raise CorruptError("a recipe is longer than it should be")
    if unpacked.kind == "webp":
        return webp.pack(unpacked)
    lines = png.lines(unpacked.shape)
    if name == NAMES[PNG]:
        return png.pack(unpacked)
    exact = Exact.from_bytes(recipe[1:], lines)
    return png.pack(unpacked) if repack else exact.pack(unpacked)

"""Where the content of a file goes: on, or into a picture first."""

from ..errors import CorruptError
from ..report import Sink
from . import recipe


class Packer:
    """Takes the content of members one after the other; that of an unpacked picture is held, packed, and then written.

    written  bytes that went on
    used     whether there was a picture
    """

    def __init__(self, dst: Sink, repack: bool) -> None:
        self._dst = dst
        self._repack = repack
        self._recipe = b""
        self._held: list[bytes] = []
        self._size = 0
        self.written = 0
        self.used = False

    def begin(self, how: bytes) -> None:
        """The content of this member, which has had none so far, is to be packed according to this recipe."""
        self._recipe = how
        self.used = True

    def write(self, data: bytes, /) -> None:
        """The next bytes of the content. Raises CorruptError if a picture becomes too large."""
        if not self._recipe:
            self._put(data)
            return
        self._size += len(data)
        if self._size > recipe.MAX_CONTENT:
            raise CorruptError(f"a packed picture is larger than {recipe.MAX_CONTENT} bytes")
        self._held.append(data)

    def end(self) -> None:
        """The content of this member is complete. Raises as `recipe.pack` does."""
        if self._recipe:
            content = b"".join(self._held)
            self._held.clear()
            self._put(recipe.pack(content, self._recipe, self._repack))
        self._recipe, self._size = b"", 0

    def _put(self, data: bytes) -> None:
        self._dst.write(data)
        self.written += len(data)

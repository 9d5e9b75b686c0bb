"""Where the content of a file goes: on, or into a picture first."""

from collections.abc import Callable
from typing import BinaryIO

from ..errors import CorruptError
from ..format.report import Sink
from .kinds import MAX_CONTENT


class Packer:
    """Takes the content of members one after the other; that of an unpacked picture is kept, packed, and then written.

    take     told how many bytes of memory packing is about to use; it may refuse
    look_up  called again and again while a picture is packed; what it raises ends that

    written  bytes that went on
    used     whether there was a picture
    """

    def __init__(
        self,
        dst: Sink,
        repack: bool,
        take: Callable[[int], None] = lambda size: None,
        look_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._dst = dst
        self._take = take
        self._look_up = look_up
        self._repack = repack
        self._method = b""
        self._kept: BinaryIO | None = None
        self.written = 0
        self.used = False

    def begin(self, how: bytes) -> None:
        """The content of this member, which has had none so far, is to be packed according to this method."""
        from .span import spool  # as below, what most files do without

        self._method, self._kept = how, spool()
        self.used = True

    def write(self, data: bytes, /) -> None:
        """The next bytes of the content. Raises CorruptError if a picture becomes too large."""
        if self._kept is None:
            self._put(data)
            return
        if self._kept.tell() + len(data) > MAX_CONTENT:
            raise CorruptError(f"a packed picture is larger than {MAX_CONTENT} bytes")
        self._kept.write(data)

    def end(self) -> None:
        """The content of this member is complete. Raises as `method.pack` and `take` do."""
        if self._kept is None:
            return
        from . import method
        from .span import Span

        with self._kept as kept:
            self._take(method.memory(self._method, kept.tell()))
            for piece in method.pack(Span.whole(kept, self._look_up), self._method, self._repack):
                self._put(piece)
        self._kept = None

    def _put(self, data: bytes) -> None:
        self._dst.write(data)
        self.written += len(data)

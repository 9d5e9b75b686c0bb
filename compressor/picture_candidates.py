"""The candidates for a picture, of which the smallest is written: coded unpacked, or as the bytes that it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from .coding.model import ModelSource, Purpose
from .encoder import Encoder
from .errors import ModelNotFoundError
from .format.report import Report, Sink
from .recompression import choice, method
from .recompression.span import Span, spool
from .selection.chooser import looks_random
from .selection.items import OPENING, Content
from .selection.saving import estimate

_PATIENCE = 1 << 17  # bytes of pixels for which a model of bytes is tried
_SMALL = 1 << 16  # bytes of a picture of which xz may find what a quick look does not
_LOOKS, _LOOK = 8, 1 << 15  # pieces of a file that a quick look sees, and bytes of each


@dataclass(frozen=True)
class Candidate:
    """A member that may be written, and what it is."""

    file: Span
    report: Report

    @property
    def size(self) -> int:
        return self.file.size

    def written(self, dst: Sink) -> Report:
        """Write it to `dst`; what it is."""
        for block in self.file.blocks(0, self.size):
            dst.write(block)
        return self.report


@dataclass(frozen=True)
class Candidates:
    """What the picture `file` can be coded as, by one encoder."""

    file: Span
    encoder: Encoder

    def unpacked(self, content: Span, how: bytes) -> Candidate:
        """Unpacked to `content`, with this repack method."""
        named, models = self.encoder.model is not None, self.encoder.models
        # Pixels are many times as large as the file, and a model of bytes would take minutes for what xz does well.
        seen = Content.of(content.read(0, OPENING), content.size)
        by_pixels = named or models.thorough or seen.default(models) is not None
        if not by_pixels and content.size > _PATIENCE:
            models = _NO_MODELS
        return _coded(replace(self.encoder, models=models), content, how)

    def as_bytes(self) -> Candidate:
        """As it is: with models only if none was named and there is something to gain."""
        hopeless = self.encoder.model is not None or looks_random(self._looked_at())
        models = _NO_MODELS if hopeless else self.encoder.models
        return _coded(Encoder(models, frame_size=self.encoder.frame_size), self.file)

    def may_pay_as_bytes(self, unpacked: Candidate) -> bool:
        """Whether it may be smaller as it is: xz takes no twentieth off what looks random, and is quick on the rest."""
        small = self.file.size < _SMALL
        return small or unpacked.size > 0.95 * self.file.size or not looks_random(self._looked_at())

    def given_up(self, kind: str, reason: str, dst: Sink, byte_exact: bool) -> Report:
        """Write it as it is, since it would not come back as was asked, and say why and what that costs."""
        packed = self.as_bytes()
        spared = (
            packed.size - self._estimate() if byte_exact and not choice.broken_by_packing(self.file) else 0
        )
        remedy = f"; --pixels would save about {_rounded(spared)} bytes" if spared > 0 else ""
        remark = f"coded as bytes: {reason}{remedy}"
        return replace(packed.written(dst), notes=(f"{kind}, {remark}",), remark=remark)

    def _estimate(self) -> int:
        """About how many bytes it would take unpacked."""
        return estimate(method.unpack(self.file), self.encoder.models, self.encoder.model)

    def _looked_at(self) -> bytes:
        """What a quick look sees of the file."""
        if self.file.size <= _LOOKS * _LOOK:
            return self.file.read(0, self.file.size)
        starts = range(0, self.file.size, self.file.size // _LOOKS)
        return b"".join(self.file.read(start, _LOOK) for start in starts)


def _coded(encoder: Encoder, content: Span, how: bytes = b"") -> Candidate:
    out = spool()
    report = encoder.encode(content.rewound(), out, size_hint=content.size, method=how)
    return Candidate(Span.whole(out), report)


def _rounded(count: int) -> int:
    """A number of bytes to two digits."""
    return int(float(f"{count:.2g}"))


class _NoModels:
    """A source of no models: what is coded with it becomes xz, or is stored."""

    def by_name(self, name: str) -> NoReturn:
        raise ModelNotFoundError(f"no model {name}")

    def by_fingerprint(self, fingerprint: bytes) -> NoReturn:
        raise ModelNotFoundError(f"no model {fingerprint.hex()}")

    def purposes(self) -> list[Purpose]:
        return []

    def default_for(self, content: bytes) -> str | None:
        return None

    def default_for_images(self) -> str | None:
        return None

    @property
    def thorough(self) -> bool:
        return False

    @property
    def threads(self) -> int:
        return 1


_NO_MODELS: ModelSource = _NoModels()

"""Which kind of picture a file is, as far as that shows in how it begins."""

OPENING = 16
"""Bytes that hold all that `kind_of` looks at."""

MAGICS = {b"\x89UPNG\r\n\n": "png", b"\x89UWEB\r\n\n": "webp"}
"""How the unpacked form of each kind of picture begins, see form.py; no file begins like that."""

MAX_CONTENT = 1 << 28
"""Bytes that all of an unpacked picture can have: 256 MiB."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)


def kind_of(opening: bytes) -> str | None:
    """What pictures that begin like this are called; None if it is none that is known."""
    if opening.startswith(b"RIFF") and opening[8:12] == b"WEBP":
        return "WebP"
    return next((name for signature, name in _SIGNATURES if opening.startswith(signature)), None)

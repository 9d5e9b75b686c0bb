"""Why a picture stays as it is."""


class AsBytes(Exception):
    """This picture is coded as bytes; the message says why, in words that follow "coded as bytes: "."""


class NotReproduced(AsBytes):
    """It could be unpacked, but not packed again to the same bytes, or to about as many."""

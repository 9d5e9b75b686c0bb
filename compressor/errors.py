"""The errors a caller can meet and act upon.

    CatzipError
    ├── NotCatzipError           these bytes are not a catzip file
    ├── CorruptError             a catzip file that is damaged: checksum, leftover stack, impossible field
    │   └── TruncatedError       ... because it ends early
    ├── NewerVersionError        made by a newer version, or with a feature this version does not know
    ├── ModelNotFoundError       the model, by name or by fingerprint, is not installed
    ├── ModelMismatchError       the data or the plan does not fit the model
    │   └── UnsuitableContentError   ... because the model codes content of another kind, such as images
    ├── LimitError               decoding would take more output, memory or work than it may
    ├── PackingError             a picture is intact, but does not come back byte for byte with the zlib here
    ├── RepackingError           a picture carries what would break if its pixels were packed anew
    └── MissingDependencyError   an optional package is needed

Mistakes of the calling program (wrong shapes, wrong symbol counts, frequencies that do not sum) are
`ValueError`.
"""


class CatzipError(Exception):
    """Anything catzip raises about files, models and the installation."""


class DamagedWeightsWarning(UserWarning):
    """A weight file that nobody asked for is damaged, and was passed over."""


class NotCatzipError(CatzipError):
    """The input does not start with the magic of a catzip file."""


class CorruptError(CatzipError):
    """The input is a catzip file, but damaged; nothing decoded from the damaged frame is to be used."""


class TruncatedError(CorruptError):
    """The input is a catzip file that ends before its trailer."""


class NewerVersionError(CatzipError):
    """The input needs a newer catzip: unknown format version, frame kind, medium or feature bit."""


class ModelNotFoundError(CatzipError):
    """No installed model has the name or the fingerprint asked for."""


class ModelMismatchError(CatzipError):
    """The data or the coding plan does not fit the model."""


class UnsuitableContentError(ModelMismatchError):
    """The model that was named codes no such content; the message says what it codes, and what would do."""


class LimitError(CatzipError):
    """Decoding would take more output, memory or work than it may; the message names need, limit and remedy."""


class PackingError(CatzipError):
    """A PNG that was to come back byte for byte does not with the zlib here; its pixels can still be had."""


class RepackingError(CatzipError):
    """A picture was to be packed anew, and carries what would break then: the message says what."""


class MissingDependencyError(CatzipError):
    """An optional package is needed; the message says which extra installs it."""

"""A plugin of pytest, `-p sanitized_core`: the compiled core is the one at CATZIP_TEST_CORE."""

import os
from pathlib import Path

from catzip.models.backends.native import build

if "CATZIP_TEST_CORE" in os.environ:
    path = Path(os.environ["CATZIP_TEST_CORE"])
    build.HERE, build.NAME = path.parent, path.name

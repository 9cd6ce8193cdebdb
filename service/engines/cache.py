"""Where fetched engines are kept."""

from __future__ import annotations

import os
from pathlib import Path

ENGINES_DIR_VARIABLE = "KEYTURN_ENGINES_DIR"


def engines_dir() -> Path:
    """The folder of ``KEYTURN_ENGINES_DIR``, by default ``.engines`` in the current directory; absolute."""
    return Path(os.environ.get(ENGINES_DIR_VARIABLE) or ".engines").absolute()

"""Where fetched engines are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENGINES_DIR_VARIABLE = "KEYTURN_ENGINES_DIR"


def engines_dir() -> Path:
    """The folder of ``KEYTURN_ENGINES_DIR``, absolute.

    By default ``engines`` in the virtual environment, so that the command finds them from any folder, or ``.engines``
    in the current one where there is no such environment.
    """
    named = os.environ.get(ENGINES_DIR_VARIABLE)
    if named:
        return Path(named).absolute()
    in_environment = sys.prefix != sys.base_prefix
    return Path(sys.prefix, "engines") if in_environment else Path(".engines").absolute()

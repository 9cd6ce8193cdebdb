"""Makes ``common.bin`` from lists of common passwords: ``python -m service.passwords.data.build LIST OUT``.

LIST is a text file in UTF-8, one password a line, the commonest first. Shipped is what this makes of
``10-million-password-list-top-1000000.txt`` of SecLists (Daniel Miessler and others, MIT licence; the passwords were
collected by Mark Burnett), together with the list of passwords in the package zxcvbn (Daniel Wolf, Dropbox; MIT
licence). See docs/passwords.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

from service.kernel.text import folded
from service.passwords.offline import SHORTEST_LISTED, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMONEST = 200_000
"""Lines from which entries of any length are taken."""
LONG = 12
"""Code points from which an entry is taken wherever it stands: long ones are rare, and what matters at 15."""


def chosen(ranked: Sequence[str]) -> set[str]:
    """The entries of ``ranked`` that are worth their octets, folded."""
    texts = ((rank, folded(line)) for rank, line in enumerate(ranked))
    return {text for rank, text in texts if len(text) >= (SHORTEST_LISTED if rank < COMMONEST else LONG)}


def table_of(texts: Iterable[str]) -> bytes:
    """The sorted table of the digests of ``texts``."""
    return b"".join(sorted({digest_of(text) for text in texts}))


def build(ranked: Sequence[str]) -> bytes:
    """The table of ``ranked`` and of zxcvbn's passwords."""
    return table_of(chosen(ranked) | chosen(FREQUENCY_LISTS["passwords"]))


def main(source: str, target: str) -> None:
    """Read the list ``source`` and write the table ``target``."""
    Path(target).write_bytes(build(Path(source).read_text(encoding="utf-8").splitlines()))


if __name__ == "__main__":  # pragma: no cover
    main(*sys.argv[1:])

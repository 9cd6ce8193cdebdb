"""Makes ``common.bin`` from lists of common passwords: ``python -m service.passwords.data.build LIST OUT``.

LIST is a text file in UTF-8, gzipped or not, one password a line. Shipped is what this makes of the list that is part
of Django (``django/contrib/auth/common-passwords.txt.gz``, BSD licence) and of the list "passwords" in the package
zxcvbn (MIT licence). Both licences and where the lists come from stand in ``NOTICE.txt``; see docs/passwords.md.

Those lists have few entries that are as long as a password must be. What people make of them is added: two of the
commonest, one after the other.
"""

from __future__ import annotations

import gzip
import sys
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

from service.kernel.text import folded
from service.passwords.offline import SHORTEST_LISTED, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

JOINED = 300
"""How many of the commonest are joined in pairs."""
LONG = 12
"""Code points from which a pair is listed: with up to four signs behind it, it passes for a password of 15."""


def chosen(texts: Iterable[str]) -> set[str]:
    """Those of ``texts`` that are long enough to be a password, folded."""
    return {text for text in map(folded, texts) if len(text) >= SHORTEST_LISTED}


def pairs(ranked: Sequence[str]) -> Iterator[str]:
    """Each of the commonest of ``ranked`` before each other, where that is long. What only repeats is looked up so."""
    commonest = [folded(text) for text in ranked[:JOINED]]
    return (first + second for first, second in permutations(commonest, 2) if len(first + second) >= LONG)


def table_of(texts: Iterable[str]) -> bytes:
    """The sorted table of the digests of ``texts``."""
    return b"".join(sorted({digest_of(text) for text in texts}))


def build(listed: Iterable[str]) -> bytes:
    """The table of ``listed``, of zxcvbn's passwords, and of the pairs of its commonest."""
    ranked = FREQUENCY_LISTS["passwords"]
    return table_of({*chosen(listed), *chosen(ranked), *pairs(ranked)})


def main(source: str, target: str) -> None:
    """Read the list ``source`` and write the table ``target``."""
    raw = Path(source).read_bytes()
    text = gzip.decompress(raw) if source.endswith(".gz") else raw
    Path(target).write_bytes(build(text.decode("utf-8").splitlines()))


if __name__ == "__main__":  # pragma: no cover
    main(*sys.argv[1:])

"""Somebody who reads the table, or a backup of it, and tries what they find as cookies."""

from __future__ import annotations

import itertools
import re

from keyturn import base64url


def cookies_from(items):
    """Whatever could be a cookie: each text, its parts, and any two of them joined, as text and as what they encode."""
    for item in items:
        texts, blobs = set(), set()
        for kind in item.values():
            for value in kind.values():
                if isinstance(value, str):
                    texts |= {value, *re.split("[#:|]", value)}
                else:
                    blobs.add(bytes(value))
        texts.discard("")
        blobs |= {decoded for text in texts if (decoded := base64url.decode(text))}
        yield from texts
        yield from map("".join, itertools.permutations(texts, 2))
        yield from map(base64url.encode, blobs)
        yield from (base64url.encode(b"".join(two)) for two in itertools.permutations(blobs, 2))


def spellings(secret):
    """How a secret may stand in a stored text: as bytes, in hexadecimal, and in base64 at each of its offsets."""
    inner = [base64url.encode(bytes(offset) + secret)[4:-4] for offset in range(3)]
    return [repr(secret)[2:-1], secret.hex(), *inner]

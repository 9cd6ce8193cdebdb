"""Every vector of tests/vectors/tokens is accepted or refused as it says, with PyJWT's leniency nowhere to be seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyturn.errors import TokenError

VECTORS = Path(__file__).parents[2] / "vectors" / "tokens"


def vectors():
    for path in sorted(VECTORS.glob("*.json")):
        for vector in json.loads(path.read_text("utf-8")) if path.stem != "base" else ():
            yield pytest.param(vector, id=f"{path.stem}: {vector['name']}")


@pytest.mark.parametrize("vector", list(vectors()))
def test_a_token_is_judged_as_its_vector_says(vector, mint):
    if vector["expect"] == "accepted":
        assert mint.verify(vector).subject == "0b0f6a52-6d5e-4c59-8a55-2f4d0a0c7a01"
        return
    with pytest.raises(TokenError) as caught:
        mint.verify(vector)
    assert caught.value.code == vector["expect"]


def test_no_name_is_used_twice():
    names = [parameter.id for parameter in vectors()]
    assert len(names) == len(set(names))

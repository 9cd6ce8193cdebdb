from typing import Annotated

import pytest
from fastapi import Depends, Query
from fastapi.dependencies.utils import get_dependant
from pydantic import BaseModel, Field

from service.errors import BadRequest, Invalid
from service.web.strict_query import check_query, declared_names


@pytest.mark.parametrize("query", [b"", b"limit=1", b"limit=1&cursor=a%20b", b"limit=&cursor="])
def test_declared_names_pass_once_each(query):
    check_query(query, frozenset({"limit", "cursor"}))


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        (b"password=hunter2", "password", "unknown_field"),
        (b"access_token=abc", "access_token", "unknown_field"),
        (b"limit=1&limit=2", "limit", "duplicate_field"),
        (b"limit=1&l%69mit=2", "limit", "duplicate_field"),
        (b"%3Cscript%3E=1", "?", "unknown_field"),
        (b"password", "password", "unknown_field"),
    ],
)
def test_unknown_and_repeated_names_are_refused_without_their_values(query, field, code):
    with pytest.raises(Invalid) as caught:
        check_query(query, frozenset({"limit"}))
    (error,) = caught.value.errors
    assert (error.field, error.code) == (field, code)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "query", [b"limit=%ff", b"limit=%00", b"%00=1", b"\xff=1", b"limit=%ed%a0%80", b"&".join([b"a=1"] * 40)]
)
def test_a_query_that_is_not_text_is_refused(query):
    with pytest.raises(BadRequest):
        check_query(query, frozenset({"limit"}))


def test_names_are_collected_from_models_and_dependencies():
    class Page(BaseModel):
        limit: int = 1
        after: str = Field("", alias="cursor")

    def inner(deep: str = "") -> str:
        return deep

    def route(
        page: Annotated[Page, Query()],
        dep: Annotated[str, Depends(inner)],
        named: Annotated[str, Query(alias="n")] = "",
    ) -> None: ...

    dependant = get_dependant(path="/", call=route)
    names = declared_names(dependant)
    assert names == {"limit", "cursor", "deep", "n"}

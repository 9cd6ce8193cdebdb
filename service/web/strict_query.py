"""Query parameters read strictly: known names, once each, in UTF-8.

Nothing secret travels in a query: a route that declares no parameter refuses ``?password=`` like any other unknown
name, so that a client which puts one there finds out before it ends in somebody's log.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pydantic import BaseModel

from service.errors import BadRequest, Invalid
from service.web.validation import MAX_ERRORS, field_error, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi.dependencies.models import Dependant

MAX_PARAMETERS = 32


def declared_names(dependant: Dependant) -> frozenset[str]:
    """The names of the query parameters that a route and its dependencies declare."""
    names: set[str] = set()
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            names.update(inner.alias or name for name, inner in model.model_fields.items())
        else:
            names.add(field.alias)
    return frozenset(names).union(*(declared_names(inner) for inner in dependant.dependencies))


def check_query(query_string: bytes, declared: frozenset[str]) -> None:
    """Pass a query whose names are in ``declared``, once each.

    Raises ``BadRequest`` where it is not UTF-8, holds NUL or too many parameters, and ``Invalid`` for the names.
    """
    if not query_string:
        return
    names = _names(query_string)
    counted = Counter(names)
    errors = [
        field_error(safe_name(name), "unknown_field" if name not in declared else "duplicate_field")
        for name, count in counted.items()
        if name not in declared or count > 1
    ]
    if errors:
        raise Invalid(*tuple(dict.fromkeys(errors))[:MAX_ERRORS])


def _names(query_string: bytes) -> Iterable[str]:
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise BadRequest("query") from None
    if any("\x00" in text for pair in pairs for text in pair):
        raise BadRequest("NUL in query")
    return [name for name, _ in pairs]

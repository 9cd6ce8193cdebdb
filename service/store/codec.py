"""Python values to DynamoDB attribute values and back; small, since the types of our items are few and known."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

Value = str | int | bool | bytes | frozenset[str] | Sequence[Any] | Mapping[str, Any]
Item = Mapping[str, Value]


def encode_value(value: Value) -> dict[str, Any]:
    """One attribute value. Raises TypeError for a type that no item of ours holds (floats first of all)."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case frozenset():
            return {"SS": sorted(value)}
        case Mapping():
            return {"M": encode_item(value)}
        case list() | tuple():
            return {"L": [encode_value(element) for element in value]}
        case _:
            raise TypeError(f"{type(value).__name__} is not stored")


def encode_item(item: Mapping[str, Value | None]) -> dict[str, Any]:
    """An item or expression values; what is None, or an empty set, is left out (DynamoDB has no empty set)."""
    return {name: encode_value(value) for name, value in item.items() if value is not None and value != frozenset()}


def decode_value(attribute: Mapping[str, Any]) -> Value:
    """The Python value of one attribute value. Raises TypeError for a type that no item of ours holds."""
    ((kind, raw),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return raw  # type: ignore[no-any-return]
        case "B":
            # The lean client leaves it as it came; decoding it there would take a walk through every answer.
            return base64.b64decode(raw) if isinstance(raw, str) else bytes(raw)
        case "N":
            return int(raw)
        case "SS":
            return frozenset(raw)
        case "M":
            return decode_item(raw)
        case "L":
            return tuple(decode_value(element) for element in raw)
        case _:
            raise TypeError(f"attribute type {kind} is not stored")


def decode_item(attributes: Mapping[str, Any]) -> Item:
    """An item as DynamoDB answers it."""
    return {name: decode_value(attribute) for name, attribute in attributes.items()}

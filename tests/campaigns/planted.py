"""Targets for the test of the driver: one that is sound, and one with a bug that only some inputs reach."""

from __future__ import annotations


def sound(data: bytes) -> None:
    bytes(data)


def planted(data: bytes) -> None:
    if data[:1] == b"K" and len(data) > 3:
        raise KeyError(data[0])


TARGETS = {"planted": planted, "sound": sound}

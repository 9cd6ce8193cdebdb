"""The port: everything that the service knows of an embedded DynamoDB engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

EngineName = Literal["dynoxide", "ministack", "dynamodb-local"]
EngineChoice = Literal["auto", "dynoxide", "ministack", "dynamodb-local"]


class Launch(NamedTuple):
    """How to start an engine. ``env`` is the whole environment: nothing is inherited, credentials least of all."""

    argv: list[str]
    env: dict[str, str]


class Engine(Protocol):
    """A program that speaks DynamoDB on a port of the loopback interface and ends in good order on SIGTERM."""

    @property
    def name(self) -> EngineName:
        """The name by which it is chosen, and of the folder of its state."""
        ...

    def available(self) -> str | None:
        """None when it can be started now, else a sentence why not, with the cure."""
        ...

    def command(self, port: int, data_dir: Path | None) -> Launch:
        """How to start it on ``port`` with its state in ``data_dir``, an existing folder; None keeps it in memory."""
        ...

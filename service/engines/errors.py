"""What can go wrong with an engine; each message is one sentence for the person at the terminal."""

from __future__ import annotations


class EngineError(Exception):
    """The root: no engine is running after it was raised."""


class EngineUnavailable(EngineError):
    """The engine that was asked for cannot be had here; the message names the cure."""


class EngineFailed(EngineError):
    """The engine was started and did not answer; the message ends with the tail of its log."""


class DataFolderBusy(EngineError):
    """Another process uses the data folder, or an engine is still saving into it."""

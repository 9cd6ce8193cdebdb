"""Logs: one stream, one redaction, for our own lines and for the libraries'.

``configure`` is called once by the edge, before anything is logged. uvicorn must be started with ``log_config=None``,
or it puts its own handlers back, and with ``access_log=False`` unless the access log is asked for here.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog
from structlog.stdlib import ProcessorFormatter

from service.telemetry.failures import as_text, describe
from service.telemetry.redaction import redact_mapping

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import EventDict, Processor, WrappedLogger

QUIET_ROOTS = ("botocore", "aiobotocore", "boto3", "aioboto3", "aiohttp", "urllib3", "httpx", "httpcore", "s3transfer")
"""Libraries that print whole requests and answers below WARNING, passwords and tokens included."""

Style = Literal["json", "console"]

_OWN_KEYS = ("_record", "_from_structlog")


def configure(
    *,
    style: Style,
    level: int = logging.INFO,
    access_log: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to ``stream`` (standard error): JSON lines, or a readable form for development."""
    handler = _Handler(stream or sys.stderr)
    handler.addFilter(_loud_enough)
    handler.setFormatter(_formatter(style))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _Handler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    _tame_libraries(level, access_log=access_log)
    structlog.configure(
        processors=[*_chain(style), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last processor: none after it can add a secret, and no other handler of the record can see one."""
    own = {key: event.pop(key) for key in _OWN_KEYS if key in event}
    return {**redact_mapping(event), **own}


class _Handler(logging.StreamHandler[Any]):
    """A stream handler that, when a record cannot be written, does not print the record to explain why."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say only that a line of ``record``'s logger was lost."""
        error = sys.exc_info()[0]
        sys.stderr.write(f"a log line of {record.name} was lost: {error.__name__ if error else 'unknown'}\n")


def _chain(style: Style) -> list[Processor]:
    """What happens to each line, our own and the libraries'."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_failure if style == "json" else _tell_failure,
        redact_event,
    ]


def _formatter(style: Style) -> ProcessorFormatter:
    renderer: Processor = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return ProcessorFormatter(foreign_pre_chain=_chain(style), processors=[_forget_record, renderer])


def _describe_failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = _pop_failure(event)
    if error is not None:
        event["exception"] = describe(error)
    return event


def _tell_failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = _pop_failure(event)
    if error is not None:
        event["exception"] = as_text(error)
    return event


def _pop_failure(event: EventDict) -> BaseException | None:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple):
        info = info[1]
    return info if isinstance(info, BaseException) else None


def _forget_record(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key in _OWN_KEYS:
        event.pop(key, None)
    return event


def _loud_enough(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in QUIET_ROOTS


def _tame_libraries(level: int, *, access_log: bool) -> None:
    for name in QUIET_ROOTS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = not access_log

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from service.kernel.secret import Secret
from service.telemetry.logging import QUIET_ROOTS, configure

CANARY = "canary-4711"


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for name in (*QUIET_ROOTS, "uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).disabled = False


@pytest.fixture(params=["json", "console"])
def style(request):
    return request.param


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_level_time_logger_and_context(stream):
    configure(style="json", stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("keyturn.test").info("signed_in", user_id="u1")
    (line,) = lines(stream)
    assert {k: line[k] for k in ("event", "level", "logger", "request_id", "user_id")} == {
        "event": "signed_in",
        "level": "info",
        "logger": "keyturn.test",
        "request_id": "r1",
        "user_id": "u1",
    }
    assert line["timestamp"].endswith("Z")


def test_the_libraries_lines_have_the_same_form(stream):
    configure(style="json", stream=stream)
    structlog.contextvars.bind_contextvars(request_id="r1")
    logging.getLogger("uvicorn.error").info("Started %s", "server")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"], line["request_id"]) == (
        "Started server",
        "uvicorn.error",
        "info",
        "r1",
    )


def plant():
    password = CANARY
    raise RuntimeError(f"password={password}")


def test_no_canary_reaches_the_stream(stream, style):
    configure(style=style, stream=stream, level=logging.DEBUG)
    log = structlog.get_logger("keyturn.test")
    log.info("a", password=CANARY, nested={"refresh_token": CANARY}, value=Secret(CANARY), raw=CANARY.encode())
    event = f"Bearer {CANARY}"
    log.info(event, items=[Secret(CANARY)], code=CANARY)
    log.debug("b", headers={"Authorization": CANARY, "Cookie": CANARY})
    logging.getLogger("some.library").warning("sent %s", {"password": CANARY})
    logging.getLogger("some.library").warning("sent ktr_%s", CANARY, extra={"token": CANARY})
    for emit in (log.exception, logging.getLogger("x").exception):
        try:
            plant()
        except RuntimeError:
            emit("failed")
    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("RuntimeError") == 2
    assert stream.getvalue().count("plant") == 2


def test_no_other_handler_of_the_record_sees_a_canary(stream, caplog):
    configure(style="json", stream=stream)
    structlog.get_logger("keyturn.test").error("a", password=CANARY, exc_info=RuntimeError(f"ktr_{CANARY}"))
    assert caplog.records
    assert CANARY not in repr([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("name", QUIET_ROOTS)
def test_a_library_that_prints_bodies_is_not_heard_below_warning(stream, name):
    configure(style="json", stream=stream, level=logging.DEBUG)
    logging.getLogger(name).debug("body")
    child = logging.getLogger(f"{name}.endpoint_{name}")
    child.setLevel(logging.DEBUG)
    child.debug("body")
    child.info("body")
    child.warning("slow")
    assert [line["event"] for line in lines(stream)] == ["slow"]


def test_the_access_log_is_off_unless_asked_for_and_masked_when_it_is(stream):
    configure(style="json", stream=stream)
    access = logging.getLogger("uvicorn.access")
    access.info("GET /a")
    assert not stream.getvalue()
    configure(style="json", stream=stream, access_log=True)
    access.info("GET /verify?token=%s", CANARY)
    (line,) = lines(stream)
    assert line["event"].startswith("GET /verify?token=")
    assert CANARY not in line["event"]


def test_handlers_of_uvicorn_are_taken_away_and_ours_stands_once(stream):
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(io.StringIO()))
    configure(style="json", stream=io.StringIO())
    configure(style="json", stream=stream)
    logging.getLogger("uvicorn").warning("once")
    assert len(lines(stream)) == 1
    assert not logging.getLogger("uvicorn").handlers


def test_the_level_holds_for_our_lines(stream):
    configure(style="json", stream=stream, level=logging.WARNING)
    structlog.get_logger("keyturn.test").info("quiet")
    assert not stream.getvalue()


def test_an_exception_given_as_a_tuple_or_not_at_all(stream):
    configure(style="json", stream=stream)
    log = structlog.get_logger("keyturn.test")
    log.error("a", exc_info=(ValueError, ValueError("v"), None))
    log.error("b", exc_info=True)  # noqa: LOG014
    log.error("c", exc_info=False)
    first, second, third = lines(stream)
    assert first["exception"][0]["message"] == "v"
    assert "exception" not in second
    assert "exception" not in third


def test_a_record_that_cannot_be_written_is_not_printed_to_explain_why(stream, capsys):
    configure(style="json", stream=stream)
    broken = logging.Logger("broken")  # noqa: LOG001
    broken.addHandler(logging.getLogger().handlers[-1])
    broken.warning("%d", CANARY)
    err = capsys.readouterr().err
    assert "a log line of broken was lost: TypeError" in err
    assert CANARY not in err + stream.getvalue()


def test_the_stream_is_standard_error_by_default(stream, capsys):
    configure(style="console")
    structlog.get_logger("keyturn.test").warning("hello", user_id="u1")
    assert "hello" in capsys.readouterr().err

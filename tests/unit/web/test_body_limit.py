from __future__ import annotations

import json

import pytest
from starlette.responses import PlainTextResponse

from service.errors import PayloadTooLarge
from service.web.body_limit import BodyLimit


@pytest.mark.parametrize("chunks", [(b"",), (b"12345678",), (b"1234", b"5678"), (b"1",) * 8])
async def test_a_body_up_to_the_limit_is_read(chunks, call, read_all):
    answer, _ = await call(BodyLimit(read_all, limit_bytes=8), chunks=chunks)
    assert (answer.status, answer.body) == (200, str(sum(map(len, chunks))).encode())


async def test_a_declared_length_over_the_limit_is_413_before_the_application_runs(call):
    async def never(scope, receive, send):
        raise AssertionError

    for length in ("9", "99999999999999999999999"[:19]):
        answer, _ = await call(BodyLimit(never, limit_bytes=8), headers=[("Content-Length", length)])
        assert (answer.status, json.loads(answer.body)["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("length", ["abc", "-1", "\u00b2", "9" * 5000, "+9"])
async def test_a_length_that_is_no_number_is_left_to_the_server_and_the_body_counted(length, call, read_all):
    answer, _ = await call(BodyLimit(read_all, limit_bytes=8), headers=[("Content-Length", length)], chunks=[b"1" * 9])
    assert answer.status == 413


async def test_the_larger_of_two_lengths_counts(call, read_all):
    lengths = [("Content-Length", "1"), ("Content-Length", "9")]
    answer, _ = await call(BodyLimit(read_all, limit_bytes=8), headers=lengths)
    assert answer.status == 413


async def test_memory_exhaustion_a_chunked_body_is_cut_at_the_limit(call, read_all):
    answer, _ = await call(BodyLimit(read_all, limit_bytes=8), chunks=[b"1234"] * 100)
    assert (answer.status, json.loads(answer.body)["code"]) == (413, "payload_too_large")


async def test_a_length_that_lies_does_not_open_the_limit(call, read_all):
    answer, _ = await call(BodyLimit(read_all, limit_bytes=8), headers=[("Content-Length", "1")], chunks=[b"1" * 9])
    assert answer.status == 413


async def test_an_application_that_swallows_the_refusal_answers_413_all_the_same(call, read_all):
    async def stubborn(scope, receive, send):
        try:
            await read_all(scope, receive, send)
        except PayloadTooLarge:
            await PlainTextResponse("fine")(scope, receive, send)

    answer, _ = await call(BodyLimit(stubborn, limit_bytes=8), chunks=[b"1" * 9])
    assert answer.status == 413
    assert b"fine" not in answer.body


async def test_an_answer_that_began_before_the_limit_was_passed_is_not_mixed_with_another(call):
    async def early(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    with pytest.raises(PayloadTooLarge):
        await call(BodyLimit(early, limit_bytes=8), chunks=[b"1" * 9])

from __future__ import annotations

import json

import pytest

from service.web.unhandled import UnhandledErrors


async def test_an_exception_becomes_a_problem_and_stays_inside(call):
    async def broken(scope, receive, send):
        raise RuntimeError("hunter2")

    answer, _ = await call(UnhandledErrors(broken))
    assert (answer.status, json.loads(answer.body)["code"]) == (500, "internal_error")
    assert b"hunter2" not in answer.body


async def test_an_answer_that_began_is_broken_off_and_not_ended_as_if_whole(call):
    async def broken(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        await call(UnhandledErrors(broken))

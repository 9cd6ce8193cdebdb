from __future__ import annotations

import json

import pytest

from service.web.request_head import RequestHead


async def test_a_head_up_to_the_limit_passes(call, hello):
    answer, _ = await call(RequestHead(hello, limit_bytes=20), path="/", headers=[("X-Name", "a" * 13)])
    assert answer.status == 200


@pytest.mark.parametrize(
    "request_of", [{"headers": [("X-Name", "a" * 14)]}, {"headers": [("a", "b")] * 10}, {"path": "/" + "\u00e9" * 10}]
)
async def test_memory_exhaustion_a_larger_head_is_431(call, hello, request_of):
    answer, _ = await call(RequestHead(hello, limit_bytes=20), **{"path": "/", **request_of})
    assert (answer.status, json.loads(answer.body)["code"]) == (431, "head_too_large")


@pytest.mark.parametrize("encoding", ["chunked", "identity", "xchunked"])
async def test_request_smuggling_two_lengths_of_one_body_are_400(call, hello, encoding):
    headers = [("Content-Length", "2"), ("Transfer-Encoding", encoding)]
    answer, _ = await call(RequestHead(hello), headers=headers)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "invalid_request")
    for single in headers:
        answer, _ = await call(RequestHead(hello), headers=[single])
        assert answer.status == 200


@pytest.mark.parametrize("hosts", [("a.example", "b.example"), ("a.example", "a.example")])
async def test_host_header_poisoning_two_hosts_are_400(call, hello, hosts):
    answer, _ = await call(RequestHead(hello), headers=[("Host", host) for host in hosts])
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "invalid_request")
    answer, _ = await call(RequestHead(hello), headers=[("Host", hosts[0])])
    assert answer.status == 200

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service.store.client import client_config, is_on_loopback, open_client
from service.store.errors import StoreUnavailable


def test_the_client_gives_up_before_the_stores_deadline_and_has_room_for_many_requests():
    config = client_config(validate_parameters=False)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    # Three attempts of three seconds end within the default deadline of ten.
    assert 3 * (config.connect_timeout + config.read_timeout) < 10
    assert config.max_pool_connections == 128
    assert config.connector_args == {"keepalive_timeout": 50}


@pytest.mark.parametrize("validate", [True, False])
def test_parameters_are_validated_where_it_is_asked_for(validate):
    assert client_config(validate_parameters=validate).parameter_validation is validate


async def test_the_region_is_that_of_awss_own_variable(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    async with open_client(validate_parameters=True) as client:
        assert client.meta.region_name == "eu-central-1"


async def test_without_a_region_nothing_is_opened_and_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(StoreUnavailable, match="set AWS_REGION"):
        async with open_client(validate_parameters=True):
            pass


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("https://dynamodb.eu-central-1.amazonaws.com", False),
        ("https://127.0.0.1.example.com", False),
        ("https://localhost.example.com", False),
    ],
)
def test_an_engine_on_this_machine_is_told_from_aws(url, loopback):
    assert is_on_loopback(SimpleNamespace(meta=SimpleNamespace(endpoint_url=url))) is loopback

"""The service as it is wired by default, behind one proxy, on one set of tables: each test has networks of its own."""

from __future__ import annotations

import secrets
from ipaddress import IPv4Address

import pytest

from tests.doors.scene import Scene
from tests.http.conftest import ada, client, observed, tokens, watch
from tests.support.operator import keyturn
from tests.support.shared import shared_prefix, templates_are_compiled_once

__all__ = ["ada", "client", "keyturn", "observed", "shared_prefix", "templates_are_compiled_once", "tokens", "watch"]


@pytest.fixture
def environ(environ, shared_prefix):
    names = {"KEYTURN_TABLE_PREFIX": shared_prefix, "KEYTURN_THROTTLE": "on", "KEYTURN_TRUSTED_PROXIES": "alb"}
    return {**environ, **names}


@pytest.fixture
def network():
    """Makes the address of somebody who has not been here before."""
    return lambda: str(IPv4Address((10 << 24) + secrets.randbelow(1 << 24)))


@pytest.fixture
def scene(client, mailbox, clock, network):
    """Everything that a door needs; whoever calls comes from one network until ``scene.move`` says otherwise."""
    scene = Scene(client=client, mailbox=mailbox, clock=clock, networks=network)
    scene.move()
    return scene

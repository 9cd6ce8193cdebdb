"""The short form of the campaign over ``openapi.yaml``; ``make fuzz`` runs the long one."""

from __future__ import annotations

import asyncio
import tomllib

import pytest
import yaml

from fuzz.api import campaign

EXAMPLES = 4
# Not one that lets a whole service be tried; a starved machine takes its time.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def environ(environ):
    return environ | campaign.SETTINGS


@pytest.fixture
async def attack(workers, tmp_path):
    """Runs schemathesis against a worker of the service."""
    worker = await workers.start()

    async def run(**options):
        return await asyncio.to_thread(
            campaign.run, worker.url, tmp_path / "mail", tmp_path / "campaign", examples=EXAMPLES, **options
        )

    return run


async def test_no_request_made_of_the_api_document_gets_an_answer_that_it_does_not_describe(attack):
    outcome = await attack()
    assert not outcome.failed_checks, outcome.output
    assert not outcome.never_entered, "guarded doors and such that take a proof are tried with genuine ones"
    # Sequences of calls went on from there by what the answers told; which link is taken when, chance decides.
    assert {"POST /v1/login", "GET /v1/me"} <= {name.rpartition(" 200 ")[0] for name in outcome.followed}
    assert len(outcome.never_followed) <= len(campaign.links()) / 2, outcome.never_followed
    assert not any(name.endswith(" 500") for name in outcome.seen)


async def test_the_campaign_fails_when_an_answer_is_not_as_the_document_says(attack, tmp_path):
    told = yaml.safe_load(campaign.DOCUMENT.read_text(encoding="utf-8"))
    del told["paths"]["/v1/password/forgot"]["post"]["responses"]["202"]
    told["components"]["schemas"]["MeOut"]["properties"]["auth_time"]["type"] = "string"
    document = tmp_path / "openapi.yaml"
    document.write_text(yaml.safe_dump(told), encoding="utf-8")
    outcome = await attack(document=document, only=("/v1/password/forgot", "/v1/me"))
    assert outcome.failed_checks
    assert "Undocumented" in outcome.output
    assert "violates schema" in outcome.output


def test_all_checks_are_on():
    settings = tomllib.loads(campaign._CONFIG.read_text(encoding="utf-8"))
    everywhere = [settings, *settings["operations"]]
    told = [name for one in everywhere for name, value in one["checks"].items() if name != "enabled"]
    assert set(told) == {"positive_data_acceptance"}
    assert all(one["checks"].get("enabled", True) for one in everywhere)


def test_a_link_that_was_not_followed_is_named():
    outcome = campaign.Outcome(
        exit_status=0, output="", seen={}, followed={"GET /v1/me 200 GetMyUser": 1, "GET /v1/me 200 GetUser": 1}
    )
    assert "POST /v1/login 200 Refresh" in outcome.never_followed
    assert "GET /v1/me 200 GetMyUser" not in outcome.never_followed


def test_a_door_that_was_not_entered_is_named():
    outcome = campaign.Outcome(exit_status=0, output="", seen={"POST /v1/login 401": 9, "GET /v1/me 200": 1})
    assert "POST /v1/login" in outcome.never_entered
    assert "GET /v1/me" not in outcome.never_entered

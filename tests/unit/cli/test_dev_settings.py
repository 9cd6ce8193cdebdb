"""What ``keyturn dev`` sets by itself, and what makes it leave the engine alone."""

from __future__ import annotations

import pytest

from service.cli.dev_settings import brings_its_own_store, dev_variables, engine_variables
from service.kernel.entropy import SystemEntropy
from service.settings import load


def test_the_variables_make_settings_and_the_secrets_are_made_once(tmp_path):
    first = dev_variables(host="127.0.0.1", port=8000, data=tmp_path, entropy=SystemEntropy())
    assert load(first).issuer == "http://127.0.0.1:8000"
    assert load(first).mail_url.get_secret_value() == f"maildir:{tmp_path / 'mail'}"
    assert dev_variables(host="127.0.0.1", port=8000, data=tmp_path, entropy=SystemEntropy()) == first
    secrets = {value for name, value in first.items() if name.endswith(("KEYS", "KEY"))}
    assert len(secrets) == 3
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_another_folder_has_other_secrets(tmp_path):
    made = [dev_variables(host="h", port=1, data=tmp_path / name, entropy=SystemEntropy()) for name in "ab"]
    assert made[0]["KEYTURN_IDENTITY_KEY"] != made[1]["KEYTURN_IDENTITY_KEY"]


@pytest.mark.parametrize(
    ("host", "issuer"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_issuer_is_an_address_that_a_browser_can_open(tmp_path, host, issuer):
    variables = dev_variables(host=host, port=8000, data=tmp_path, entropy=SystemEntropy())
    assert load(variables).issuer == issuer


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ],
)
def test_who_named_a_store_gets_no_engine(name):
    assert brings_its_own_store({name: "x"}) == name
    assert brings_its_own_store({name: ""}) is None


def test_a_region_alone_names_no_store_and_the_engine_names_itself():
    assert brings_its_own_store({"AWS_REGION": "eu-central-1"}) is None
    assert brings_its_own_store(engine_variables("http://127.0.0.1:1")) == "AWS_ENDPOINT_URL_DYNAMODB"

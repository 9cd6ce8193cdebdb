"""The wheel's extras bring what their adapters need, also in the oldest versions that they allow."""

from __future__ import annotations

import json
import re
import sys
import tomllib

from packaging.version import Version

from tests.docs.markdown import ROOT
from tests.docs.wheels import run

EXTRAS = ("fastapi", "flask", "django", "dynamodb")
VERSIONS = """
from importlib.metadata import version
import sys
print(*map(version, sys.argv[1:]))
"""


def asked_for():
    """What the library and these extras ask for, each with its least version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(one for extra in EXTRAS for one in optional[extra])]


def test_each_extra_guards_with_the_oldest_versions_that_it_allows(installed, wheel, plain_environ, tmp_path):
    tools = installed("--resolution", "lowest-direct", *asked_for(), f"keyturn[{','.join(EXTRAS)}] @ {wheel.as_uri()}")
    env = {name: value for name, value in plain_environ.items() if name != "PYTHONPATH"}
    floors = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", one).groups() for one in asked_for())
    output, status = run(tools / "python", "-c", VERSIONS, *floors, env=env, cwd=tmp_path)
    assert status == 0, output
    for (name, floor), version in zip(floors.items(), output.split(), strict=True):
        assert Version(version) == Version(floor), name
    program = ROOT / "tests/docs/extras_program.py"
    output, status = run(tools / "python", "-P", program, env=env, cwd=tmp_path)
    assert status == 0, output
    assert json.loads(output) == {
        "fastapi": [200, 401, 401, 200, 401, 404, 200],
        "starlette": [200, 401, 401],
        "flask": [200, 401, 401],
        "django": [200, 401, 401],
    }


def test_the_service_describes_its_api_in_the_same_way_with_the_oldest_fastapi_that_it_allows(
    installed, plain_environ, tmp_path
):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (floor,) = [one for one in project["optional-dependencies"]["service"] if one.startswith("fastapi>=")]
    tools = installed("--no-deps", "--require-hashes", "-r", ROOT / "requirements/service.txt")
    pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", tools / "python")
    output, status = run(*pip, floor.replace(">=", "=="), env=plain_environ, cwd=tmp_path)
    assert status == 0, output
    output, status = run(tools / "keyturn", "openapi", env=plain_environ, cwd=tmp_path)
    assert status == 0, output
    assert output == (ROOT / "openapi.yaml").read_text("utf-8")

"""What the documents name exists: files, headings, settings, make targets, commands, tables, permissions, packages."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
import typer

from service.cli.main import app
from service.settings import Settings
from service.store.table import Table
from service.tokens.keyring import REFRESH_SECONDS, STALE_SECONDS
from service.tokens.metadata import MAX_AGE_SECONDS
from tests.docs.markdown import DOCUMENTED_ELSEWHERE, DOCUMENTS, ROOT, anchors, code_words, links, name_of

SETTINGS = {f"KEYTURN_{name.upper()}" for name in Settings.model_fields}
# How the calls of the store are named in a policy.
ACTIONS = {
    "Get": {"GetItem", "BatchGetItem"},
    "Query": {"Query"},
    "Put": {"PutItem"},
    "Update": {"UpdateItem"},
    "Delete": {"DeleteItem"},
    "Check": {"ConditionCheckItem"},
}

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)


@each_document
def test_links_between_documents_lead_somewhere(path):
    for link in links(path.read_text("utf-8")):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        assert not anchor or anchor in anchors(file.read_text("utf-8")), link


@each_document
def test_named_settings_exist(path):
    named = set(re.findall(r"KEYTURN_[A-Z0-9_]*[A-Z0-9]", path.read_text("utf-8")))
    assert named <= SETTINGS | DOCUMENTED_ELSEWHERE


@each_document
def test_named_make_targets_exist(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        found[1] for word in code_words(path.read_text("utf-8")) if (found := re.match(r"make ([a-z][a-z-]*)", word))
    }
    assert named <= targets


@each_document
def test_named_commands_exist(path):
    said_to_be_missing = {"keyturn doctor", "keyturn scan"} if name_of(path) == "README.md" else set()
    assert unknown_commands(path.read_text("utf-8")) == said_to_be_missing


def unknown_commands(text):
    """Those ``keyturn WORD …`` of the document that the command would not take."""
    unknown = set()
    for word in code_words(text):
        spoken = re.match(r"(?:\.venv/bin/)?keyturn ([a-z][a-z ]*)", word)
        if spoken and not is_command(spoken[1].split()):
            unknown.add(f"keyturn {spoken[1]}".strip())
    return unknown


def is_command(words):
    command = typer.main.get_command(app)
    for word in words:
        commands = getattr(command, "commands", None)
        if commands is None:
            return True
        if word not in commands:
            return False
        command = commands[word]
    return True


def rows(path, columns):
    """The cells of the tables of a document that have so many columns, without their heads."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    cells = [line.removeprefix("|").removesuffix("|").split("|") for line in lines if line.startswith("| ")]
    return [[cell.strip(" `") for cell in row] for row in cells if len(row) == columns]


def test_every_setting_is_documented_with_its_default():
    documented = {name: default for name, default, _ in rows("docs/settings.md", 3) if name != "name"}
    assert set(documented) == SETTINGS
    for name, field in Settings.model_fields.items():
        shown = documented[f"KEYTURN_{name.upper()}"]
        if field.is_required():
            assert shown == "required", name
        elif name == "audience":
            assert shown == "the issuer"
        else:
            default = getattr(field.default, "get_secret_value", lambda value=field.default: value)()
            assert shown == (str(default) or "empty"), name


def uses():
    """The kinds of calls that the service makes on each table, migrations left out."""
    found = {}
    for path in (ROOT / "service").rglob("*.py"):
        if "migrate" in path.parts or "store" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACTIONS:
                for keyword in node.keywords:
                    if keyword.arg == "table" and isinstance(keyword.value, ast.Attribute):
                        found.setdefault(Table[keyword.value.attr], set()).add(node.func.id)
    return found


def test_the_permissions_of_each_table_allow_what_the_service_does():
    documented = {
        name: {action for cell in cells for action in cell.split(", ") if action}
        for names, *cells in rows("docs/operations.md", 4)
        for name in names.split(", ")
    }
    assert set(Table) <= set(documented)
    for table in Table:
        used = uses().get(table, set())
        assert all(documented[table] & ACTIONS[kind] for kind in used), table


def test_the_bounds_of_an_emergency_are_those_of_the_key_ring():
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert f"{REFRESH_SECONDS} seconds (`REFRESH_SECONDS`)" in text
    assert f"{STALE_SECONDS} seconds (`STALE_SECONDS`)" in text
    assert f"{MAX_AGE_SECONDS} seconds by our header" in text


def test_every_direct_dependency_is_documented_with_its_locked_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = list(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    asked += project["dependency-groups"]["dev"]
    names = {re.split(r"[<>=\[~! ]", requirement)[0].lower() for requirement in asked}
    locked = dict(
        re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / "requirements/dev.txt").read_text("utf-8"), re.MULTILINE)
    )
    documented = {name: version for name, version, *_ in rows("docs/dependencies.md", 4) if name != "package"}
    assert documented == {name: locked[name] for name in names}


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.parent.name == "adr"], ids=name_of)
def test_a_decision_is_short_and_says_why(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Rejected"]
    assert re.match(rf"# {int(path.name[:4])}\. ", text)


def test_the_description_of_what_ci_runs_is_what_it_runs():
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert re.findall(r"^stage \w+ (make \w+)", script, re.MULTILINE) == ["make install", "make check", "make test"]

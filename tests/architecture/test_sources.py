"""Rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

LONGEST_FILE_LINES = 250
LONG_FILES: dict[str, str] = {}
"""Path to reason. It is empty: keep it so."""

CLOCK_AND_CHANCE = {
    "service/kernel/clock.py": "the door to time",
    "service/kernel/entropy.py": "the door to chance",
    "service/engines/probe.py": "waits for a child process, outside of any rule",
    "service/engines/process.py": "watches a child process",
    "service/engines/supervise.py": "watches a child process",
    "service/engines/child.py": "watches a child process",
    "keyturn/": "the guard library hands time in; its clients wait by the machine's clock",
}
ENVIRONMENT = {
    "service/workers.py": "a worker's settings",
    "service/outbox_worker.py": "a function's settings",
    "service/store/client.py": "AWS_REGION, which boto alone does not read",
    "keyturn/websession/client.py": "AWS_REGION, which boto3 alone does not read",
    "service/engines/": "where fetched engines are kept, and what their processes inherit",
    "service/cli/": "the edge",
}
BUILT_EXPRESSIONS = {
    "service/throttle/repo.py": "chooses between constants",
    "service/users/repo.py": "joins constants of a closed table",
    "service/migrate/reshape.py": "made of attribute names that a migration's author wrote",
}
_AMBIENT_MODULES = {"time", "secrets", "random"}
_AMBIENT_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("os", "urandom"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
}
_EXPRESSIONS = {"condition", "update"}
_OPERATIONS = {"Put", "Update", "Delete", "Check", "Query"}


def imported(tree):
    """Every imported name, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "", node.lineno)


def attributes(tree):
    """Every ``a.b`` and the last two names of longer ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            yield name, node.attr, node.lineno


def is_listed(name, listed):
    return any(name == entry or (entry.endswith("/") and name.startswith(entry)) for entry in listed)


def ambient(tree):
    """Where time or chance are taken from the surroundings."""
    found = [line for module, line in imported(tree) if module.partition(".")[0] in _AMBIENT_MODULES]
    return found + [line for owner, name, line in attributes(tree) if (owner, name) in _AMBIENT_CALLS]


def reads_environment(tree):
    found = [line for owner, name, line in attributes(tree) if (owner, name) in {("os", "environ"), ("os", "getenv")}]
    return found + [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "getenv"]


def constants(tree):
    """Names of module-level constants."""
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()}


def built_expressions(tree):
    """Conditions and updates of operations that are neither a literal nor a constant.

    A private helper may hand on a parameter; then what its callers give it is looked at in the same way.
    """
    imports = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    known = constants(tree) | {name for name in imports if name.isupper()}
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    for function in [*functions.values(), tree]:
        handed_on = set(parameters(function)) if function is not tree and function.name.startswith("_") else set()
        for call in calls_in(function):
            for name, value in arguments(call, functions):
                is_constant = isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id in known)
                is_handed_on = isinstance(value, ast.Name) and value.id in handed_on & _EXPRESSIONS
                if name in _EXPRESSIONS and not is_constant and not is_handed_on:
                    yield value.lineno


def parameters(function):
    """The names of a function's parameters, in order."""
    found = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return [name for name in found if name not in {"self", "cls"}]


def calls_in(function):
    """The calls that stand in ``function`` itself; for the module, those outside of functions."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def arguments(call, functions):
    """The named arguments of an operation, or of a private helper of the module, its positional ones among them."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name not in _OPERATIONS and not (name.startswith("_") and name in functions):
        return []
    by_position = zip(parameters(functions[name]), call.args, strict=False) if name in functions else ()
    return [*by_position, *((keyword.arg, keyword.value) for keyword in call.keywords)]


def test_files_are_short(sources):
    long = {name for name, (text, _) in sources.items() if len(text.splitlines()) > LONGEST_FILE_LINES}
    assert long == set(LONG_FILES)


def test_imports_are_absolute(sources):
    for name, (_, tree) in sources.items():
        relative = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
        assert not relative, (name, relative)


def test_nothing_scans_but_migrations_through_one_door(sources):
    door, callers = "service/store/control.py", {"service/migrate/sample.py", "service/migrate/backfill.py"}
    for name, (_, tree) in sources.items():
        lines = [line for _, attribute, line in attributes(tree) if attribute in {"scan", "get_paginator"}]
        words = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value in {"scan", "Scan"}]
        assert name == door or not words, (name, words)
        assert name in callers | {door} or not lines, (name, lines)


def test_no_read_goes_through_an_index(sources):
    """``table_state`` looks whether somebody made one, to report it as drift."""
    for name, (text, _) in sources.items():
        assert name == "service/store/table_state.py" or "IndexName" not in text, name


def test_reads_are_sent_from_one_file_alone_and_always_consistent(sources):
    """``dynamo_spans`` only names them."""
    calls = {"get_item", "batch_get_item", "transact_get_items", "scan"}
    doors = {
        "service/store/dynamo.py",
        "service/store/control.py",
        "service/telemetry/dynamo_spans.py",
        "keyturn/websession/client.py",
    }
    for name, (_, tree) in sources.items():
        words = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value in calls]
        assert name in doors or not words, (name, words)
    for name, (text, _) in sources.items():
        assert not re.search(r"ConsistentRead\W{1,4}False", text), name


def test_the_guard_librarys_own_table_reads_consistently_and_sends_constants(sources):
    _, tree = sources["keyturn/websession/client.py"]
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "_call"]
    for call in calls:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        reads = call.args[0].value in {"get_item", "query"}
        assert not reads or given["ConsistentRead"].value is True, call.lineno
        built = [name for name in given if name and name.endswith("Expression") and not is_constant(given[name])]
        assert not built, (built, call.lineno)
    assert {call.args[0].value for call in calls} == {"get_item", "put_item", "update_item", "delete_item", "query"}
    parts = [pair for n in ast.walk(tree) if isinstance(n, ast.Dict) for pair in zip(n.keys, n.values, strict=True)]
    in_transactions = [value for key, value in parts if is_constant(key) and str(key.value).endswith("Expression")]
    assert len(in_transactions) == 2
    assert all(is_constant(value) for value in in_transactions)


def is_constant(node):
    return isinstance(node, ast.Constant)


def test_every_kind_of_read_asks_for_consistency():
    from service.store.operations import Get, Query
    from service.store.table import Table, TableNames

    names = TableNames("t")
    for read in (
        Get(table=Table.USERS, key={"uid": b"1", "sk": "U"}),
        Query(table=Table.USERS, condition="uid = :uid", values={":uid": b"1"}, limit=1),
    ):
        assert read.request(names)["ConsistentRead"] is True


def test_expressions_are_constants(sources):
    """Nothing of a request can become a part of an expression: an injection needs a string that is built."""
    for name, (_, tree) in sources.items():
        is_about_the_store = any(module == "service.store.operations" for module, _ in imported(tree))
        lines = list(built_expressions(tree)) if is_about_the_store else []
        assert bool(lines) == (name in BUILT_EXPRESSIONS), (name, lines)


def test_time_and_chance_come_through_their_doors(sources):
    for name, (_, tree) in sources.items():
        assert is_listed(name, CLOCK_AND_CHANCE) or not ambient(tree), (name, ambient(tree))


def test_the_environment_is_read_at_the_edge(sources):
    for name, (_, tree) in sources.items():
        assert is_listed(name, ENVIRONMENT) or not reads_environment(tree), (name, reads_environment(tree))


def test_migrations_stand_on_nothing_of_the_service(sources):
    for name, (_, tree) in sources.items():
        if name.startswith("alembic-free-migrations/"):
            roots = {module.partition(".")[0] for module, _ in imported(tree)}
            assert not roots & {"service", "keyturn"}, name


def test_the_guard_library_stands_on_nothing_of_the_service(sources):
    for name, (_, tree) in sources.items():
        if name.startswith("keyturn/"):
            assert "service" not in {module.partition(".")[0] for module, _ in imported(tree)}, name


RAISES_AN_EPOCH = {"service/accounts/recovery_repo.py", "service/users/actions.py", "service/users/repo.py"}
"""What their methods write takes the entries of the revocation feed as an argument that cannot be left out."""


def test_what_ends_sessions_is_known_and_tells_the_revocation_feed(sources):
    """A new way to end a session is a new line here, and a new door in tests/http/test_revocation_doors.py."""
    raised, revoking = set(), set()
    for name, (_, tree) in sources.items():
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        if any(re.search(r"ADD ep |SET ep = :next", text) for text in texts):
            raised.add(name)
        called = [
            node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "attr")
        ]
        if "revoke" in called and name.startswith("service/"):
            revoking.add(name)
    assert raised == RAISES_AN_EPOCH
    assert revoking == {"service/sessions/ending.py"}


# Written in pieces, so that this file does not hold them.
FORBIDDEN = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "/wo" + "rk/",
    "/ro" + "ot/",
    "AKIA" + "[A-Z0-9]{16}",
    "BEGIN [A-Z ]*PRIVATE" + " KEY-----\\n",
]


def test_no_file_names_a_registry_a_path_of_one_machine_or_a_credential(root):
    pattern = re.compile("|".join(FORBIDDEN))
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if tracked.returncode != 0:
        pytest.skip("not a checkout")
    for name in tracked.stdout.decode().split("\0"):
        path = root / name
        if name and path.is_file():
            found = pattern.search(path.read_bytes().decode("utf-8", "replace"))
            assert found is None, (name, found)


@pytest.mark.parametrize(
    ("source", "finds"),
    [
        ("import time\n", ambient),
        ("from random import random\n", ambient),
        ("import datetime\ndatetime.datetime.now()\n", ambient),
        ("import os\nos.urandom(1)\n", ambient),
        ("import os\nos.environ['X']\n", reads_environment),
        ("from os import getenv\ngetenv('X')\n", reads_environment),
        ("def f(x):\n    Put(condition=f'a = {x}')\n", built_expressions),
        ("def f(x):\n    Update(update='SET a = ' + x)\n", built_expressions),
        ("def f(condition):\n    Query(condition=condition)\n", built_expressions),
        ("def _f(update):\n    Update(update=update)\ndef g(x):\n    _f('SET a = ' + x)\n", built_expressions),
    ],
)
def test_what_breaks_a_rule_is_found(source, finds):
    assert list(finds(ast.parse(source)))

from __future__ import annotations

import hashlib

import pytest

from service.migrate.errors import FolderInvalid
from service.migrate.folder import migrations_directory, read_folder
from service.migrate.ledger import META_KEYS
from service.migrate.steps import CreateTable

GOOD = "def steps(step):\n    yield step.protect('users')\n"


def write(directory, **sources):
    for name, source in sources.items():
        (directory / f"{name}.py").write_text(source)


def test_a_file_is_known_by_the_digest_of_its_bytes(tmp_path):
    write(tmp_path, _0001_a=GOOD)
    (tmp_path / "_0001_a.py").rename(tmp_path / "0001_a.py")
    (migration,) = read_folder(tmp_path)
    assert (migration.number, migration.name) == (1, "0001_a")
    assert migration.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize("names", [["0002_a"], ["0001_a", "0003_b"], ["0001_a", "0001_b"]])
def test_a_gap_or_a_number_used_twice_is_refused(tmp_path, names):
    write(tmp_path, **dict.fromkeys(names, GOOD))
    with pytest.raises(FolderInvalid, match="expected a migration"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["1_a", "0001-a", "0001_A", "0001", "first"])
def test_a_file_with_another_kind_of_name_is_refused(tmp_path, name):
    write(tmp_path, **{name: GOOD})
    with pytest.raises(FolderInvalid, match="is not named like"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def steps(:", "does not load: SyntaxError"),
        ("x = 1", "lacks 'steps'"),
        ("def steps(step):\n    yield step.drop_table('users')", "does not load: AttributeError"),
        ("def steps(step):\n    return ()", "at least once"),
        ("def steps(step):\n    yield 'create users'", "what the factory's methods answer"),
        ("import service.kernel.clock\n" + GOOD, "imports service.kernel.clock"),
        ("from service import errors\n" + GOOD, "imports service"),
        ("def steps(step):\n    from keyturn import x\n    yield step.protect('u')", "imports keyturn"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(tmp_path, source, message):
    write(tmp_path, **{"0001_a": source})
    with pytest.raises(FolderInvalid, match=message):
        read_folder(tmp_path)


def test_other_imports_are_allowed(tmp_path):
    write(tmp_path, **{"0001_a": "import unicodedata\nfrom typing import Any\nfrom . import x\n" + GOOD})
    with pytest.raises(FolderInvalid, match="does not load"):
        read_folder(tmp_path)
    write(tmp_path, **{"0001_a": "import unicodedata\nfrom typing import Any\n" + GOOD})
    assert len(read_folder(tmp_path)) == 1


def test_reading_leaves_no_compiled_file_behind(tmp_path):
    write(tmp_path, **{"0001_a": GOOD})
    read_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["0001_a.py"]


def test_the_folder_is_in_the_package_or_else_in_the_checkout(tmp_path):
    package = tmp_path / "service" / "migrate"
    package.mkdir(parents=True)
    with pytest.raises(FolderInvalid):
        migrations_directory(package)
    checkout = tmp_path / "alembic-free-migrations"
    checkout.mkdir()
    assert migrations_directory(package) == checkout
    (package / "migrations").mkdir()
    assert migrations_directory(package) == package / "migrations"


def test_the_first_migration_declares_the_ledgers_table_as_it_is_created():
    first = read_folder(migrations_directory())[0]
    (meta,) = [step for step in first.steps if isinstance(step, CreateTable) and step.table == "meta"]
    assert meta.keys == META_KEYS
    assert meta.protected
    assert not meta.customer_key


# A landed migration never changes; its digest is in the ledgers of those who applied it.
LANDED = {
    "0001_first_tables": "0f9ef5226334b2e0b741d90ae6770e1998ab36c15380616adf16db0007899cba",
    "0002_outbox": "be6b14340ab2c2c03dc9b55ec5f9bb32dc95e02959cf3e82f82b82f4942d0ff0",
    "0003_revocations": "8b7cfd9179e41579b6bcc8c0d0683ee0bfcb9386a597cd97f3d658f7317dcb6d",
}


def test_no_landed_migration_was_changed():
    digests = {migration.name: migration.sha256 for migration in read_folder(migrations_directory())}
    assert digests == LANDED

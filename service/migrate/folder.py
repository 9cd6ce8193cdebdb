"""The migration files: where they are, and how they are read."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from service.migrate.errors import FolderInvalid
from service.migrate.steps import Step, StepFactory

_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.py", re.ASCII)
_FORBIDDEN = frozenset({"service", "keyturn"})
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file: ``name`` is its name without the suffix, ``sha256`` the digest of its bytes in hexadecimal."""

    number: int
    name: str
    sha256: str
    steps: tuple[Step, ...]


def migrations_directory(package: Path = _HERE) -> Path:
    """The folder in the installed package, or else in the checkout. Raises FolderInvalid when there is neither."""
    for candidate in (package / "migrations", package.parent.parent / "alembic-free-migrations"):
        if candidate.is_dir():
            return candidate
    raise FolderInvalid("the folder of migrations is neither in the package nor in the checkout")


def read_folder(directory: Path) -> tuple[Migration, ...]:
    """All migrations in order. Raises FolderInvalid for a gap, a number used twice, or a file that does not load."""
    paths = sorted(path for path in directory.glob("*.py") if not path.name.startswith("_"))
    migrations = tuple(_read(path) for path in paths)
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise FolderInvalid(f"expected a migration {expected:04d}, found {migration.name}")
    return migrations


def _read(path: Path) -> Migration:
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise FolderInvalid(f"{path.name} is not named like 0001_first_tables.py")
    source = path.read_bytes()
    return Migration(
        number=int(match[1]),
        name=path.stem,
        sha256=hashlib.sha256(source).hexdigest(),
        steps=_steps(path, source),
    )


def _steps(path: Path, source: bytes) -> tuple[Step, ...]:
    try:
        tree = ast.parse(source, str(path))
        _refuse_imports(path, tree)
        namespace: dict[str, Any] = {"__name__": f"migration_{path.stem}", "__file__": str(path)}
        # Not through the import system: a stale .pyc must not run, only the very bytes whose digest was taken.
        exec(compile(tree, str(path), "exec"), namespace)  # noqa: S102
        steps = tuple(namespace["steps"](StepFactory()))
    except FolderInvalid:
        raise
    except KeyError as error:
        raise FolderInvalid(f"{path.name} lacks {error}") from error
    except Exception as error:
        raise FolderInvalid(f"{path.name} does not load: {type(error).__name__}: {error}") from error
    if not steps or not all(isinstance(step, get_args(Step)) for step in steps):
        raise FolderInvalid(f"{path.name}: steps must yield what the factory's methods answer, at least once")
    return steps


def _refuse_imports(path: Path, tree: ast.Module) -> None:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name.partition(".")[0] in _FORBIDDEN:
                raise FolderInvalid(f"{path.name} imports {name}: a migration must not change with the service")

"""Fetches DynamoDB Local with the machine's own Maven, from wherever that is configured to look."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines.dynamodb_local import VERSION, DynamoDBLocal, java_problem

if TYPE_CHECKING:
    from collections.abc import Callable

_MAVEN_TIMEOUT_SECONDS = 300
_ATTEMPTS = 2  # a download that fails at first often succeeds the second time
_POM = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>keyturn</groupId><artifactId>engines</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>{VERSION}</version>
  </dependency></dependencies>
</project>
"""


def fetch_dynamodb_local(engine: DynamoDBLocal, *, run: Callable[..., object] = subprocess.run) -> str | None:
    """Put the jars into the cache; None when it can be started afterwards, else why not."""
    if engine.available() is None:
        return None
    if problem := java_problem():
        return problem
    maven = shutil.which("mvn")
    if maven is None:
        return "mvn is not on the PATH"
    engine.cache_dir.mkdir(parents=True, exist_ok=True)
    problem = None
    for _ in range(_ATTEMPTS):
        # Inside the cache, so that the finished folder can be moved into its place in one step.
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=engine.cache_dir) as folder:
            problem = _resolve(maven, engine, Path(folder), run)
        if problem is None:
            break
    return problem or engine.available()


def _resolve(maven: str, engine: DynamoDBLocal, folder: Path, run: Callable[..., object]) -> str | None:
    (folder / "pom.xml").write_text(_POM, encoding="utf-8")
    lib = folder / "lib"
    argv = [maven, "--batch-mode", "--quiet", "dependency:copy-dependencies"]
    argv += ["-DincludeScope=runtime", f"-DoutputDirectory={lib}"]
    try:
        run(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_MAVEN_TIMEOUT_SECONDS,
            check=True,
        )
        shutil.rmtree(engine.lib_dir, ignore_errors=True)
        lib.rename(engine.lib_dir)
    except subprocess.TimeoutExpired:
        return f"mvn took longer than {_MAVEN_TIMEOUT_SECONDS} seconds"
    except subprocess.CalledProcessError as failure:
        return f"mvn dependency:copy-dependencies ended with status {failure.returncode}"
    except OSError as problem:
        return str(problem)
    return None

"""DynamoDB Local: Amazon's own, the reference for what the other two must do; needs a JDK."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines.port import Launch

if TYPE_CHECKING:
    from service.engines.port import EngineName

VERSION = "2.6.1"
MINIMUM_JAVA = 17
_LAUNCHER = Path(__file__).with_name("LoopbackDynamoDb.java")
_MODULES_TIMEOUT_SECONDS = 10
_JAVA_BASE = re.compile(r"^java\.base@(\d+)", re.MULTILINE)


def java_problem() -> str | None:
    """None when ``java`` on the PATH is a JDK that is new enough, else what is wrong with it."""
    java = shutil.which("java")
    if java is None:
        return f"java is not on the PATH; install a JDK, version {MINIMUM_JAVA} or newer"
    try:
        answer = subprocess.run(  # noqa: S603 - the path is the one that which() found, the arguments are ours
            [java, "--list-modules"], capture_output=True, text=True, timeout=_MODULES_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{java} does not run; install a JDK, version {MINIMUM_JAVA} or newer"
    found = _JAVA_BASE.search(answer.stdout)
    if found is None or int(found[1]) < MINIMUM_JAVA or "jdk.compiler@" not in answer.stdout:
        return f"{java} is not a JDK of version {MINIMUM_JAVA} or newer; install one"
    return None


@dataclass(frozen=True, kw_only=True)
class DynamoDBLocal:
    """The engine; ``cache_dir`` is where :mod:`service.engines.fetch` puts the jars."""

    cache_dir: Path

    @property
    def name(self) -> EngineName:
        """Its name."""
        return "dynamodb-local"

    @property
    def lib_dir(self) -> Path:
        """Where the jars and the native SQLite are, or would be."""
        return self.cache_dir / f"dynamodb-local-{VERSION}"

    def available(self) -> str | None:
        """None, or why not."""
        if not (self.lib_dir / f"DynamoDBLocal-{VERSION}.jar").is_file():
            return f"its jars are not in {self.lib_dir}; fetch them with: python -m service.engines.fetch --all"
        return java_problem()

    def command(self, port: int, data_dir: Path | None) -> Launch:
        """``java`` with a launcher of ours: DynamoDB Local's own listens on every interface.

        One compiler tier and no performance file: it starts sooner and writes nothing outside its folder.
        """
        java = shutil.which("java") or "java"
        argv = [java, "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", f"-Djava.library.path={self.lib_dir}"]
        argv += [
            "-cp",
            f"{self.lib_dir}{os.sep}*",
            str(_LAUNCHER),
            "-port",
            str(port),
            "-disableTelemetry",
            "-sharedDb",
        ]
        argv += ["-inMemory"] if data_dir is None else ["-dbPath", str(data_dir)]
        return Launch(argv, {})

"""Who makes dumps, and who can read them: two hosts, as far as a test can tell them apart."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from scripts.servers import Postgres
from tests.stack import BASE_DIR, clean_environment

SCRIPTS = BASE_DIR / "deploy" / "backup"


class Vault:
    """A folder of dumps of `database`; the private key lies beside, where dump.sh is not told."""

    def __init__(self, folder: Path, postgres: Postgres, database: str) -> None:
        self.folder = folder
        self.postgres = postgres
        self.database = database
        self.dumps = folder / "dumps"
        self.identity = folder / "identity"
        self.recipients = folder / "recipients"
        self.metrics = folder / "backup.prom"
        made = subprocess.run(
            ["age-keygen", "--output", self.identity], capture_output=True, text=True, check=True
        )
        self.recipients.write_text(made.stderr.removeprefix("Public key: "))

    def dump(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Never raises."""
        return self._run(
            "dump.sh",
            DATABASE_DIRECT_URL=self.postgres.url("migrator", database=self.database),
            BACKUP_RECIPIENTS=str(self.recipients),
            **variables,
        )

    def verify(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Never raises."""
        given = {
            "VERIFY_DATABASE_URL": self.postgres.url("postgres", database="postgres"),
            "BACKUP_IDENTITY": str(self.identity),
            **variables,
        }
        return self._run("verify.sh", *arguments, **given)

    def names(self, folder: str = "all") -> list[str]:
        """Of the dumps, the oldest first."""
        return sorted(path.name for path in (self.dumps / folder).glob("*.dump.age"))

    def newest(self) -> Path:
        return self.dumps / "all" / self.names()[-1]

    def metric(self, name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", self.metrics.read_text(), re.MULTILINE)
        assert found
        return float(found[1])

    def _run(
        self, script: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        given = {
            "BACKUP_DIRECTORY": str(self.dumps),
            "BACKUP_METRICS": str(self.metrics),
            # The server's own pg_dump: an older one refuses it.
            "PATH": f"{self.postgres.programs}:{clean_environment()['PATH']}",
            **variables,
        }
        return subprocess.run(
            [SCRIPTS / script, *arguments],
            env=clean_environment() | given,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def has_age() -> bool:
    return bool(shutil.which("age") and shutil.which("age-keygen", path=os.environ["PATH"]))

"""One run of schemathesis as one caller, and what it called."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.servers import HOST
from tests.server.roles import Role
from tests.stack import BASE_DIR, program

CALLERS = ("stranger", "user", "staff", "key")
# Who is asked for whole stories as well: the others are refused most of what a story is made of.
STORIES = ("user", "staff")
# Cases of the fuzzing phase for an operation, valid and invalid ones each. Ten keep all four runs
# to about 60 s of CPU; the coverage phase, which does not depend on it, is half of that.
EXAMPLES = os.environ.get("FUZZ_EXAMPLES") or "10"
SEED = os.environ.get("FUZZ_SEED") or "1"
if SEED == "random":
    SEED = str(secrets.randbelow(10**6))

Operation = tuple[str, str]  # method and path, as the document has them


@dataclass(frozen=True)
class Run:
    """What one caller met: how often each status, by operation."""

    caller: str
    failed: bool
    output: str
    statuses: Mapping[Operation, Counter[int]]


def fuzz(service: Role, caller: str, directory: Path) -> Run:
    """Call every operation of the running `service` as `caller`. Leaves files in `directory`."""
    address = f"http://{HOST}:{service.port}"
    phases = ["examples", "coverage", "fuzzing", *(["stateful"] if caller in STORIES else [])]
    report = directory / f"{caller}.ndjson"
    done = subprocess.run(
        [
            program("schemathesis"),
            f"--config-file={BASE_DIR / 'tests/contract/schemathesis.toml'}",
            "run",
            f"{address}/api/schema/",
            f"--url={address}",
            f"--phases={','.join(phases)}",
            f"--seed={SEED}",
            f"--max-examples={EXAMPLES}",
            "--report=ndjson",
            f"--report-ndjson-path={report}",
            "--no-color",
        ],
        cwd=directory,
        env={
            **service.env,
            "CALLER": caller,
            # Beside what the service's own processes have, which keeps them off the network.
            "PYTHONPATH": os.pathsep.join([str(BASE_DIR), service.env["PYTHONPATH"]]),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(directory),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(caller, done.returncode != 0, done.stdout, _statuses(report))


def table(runs: Iterable[Run], operations: Iterable[Operation]) -> list[str]:
    """A line for each operation: calls, whether one succeeded, statuses with their numbers."""
    lines = [f"{'calls':>6}  2xx  operation"]
    for operation in operations:
        seen = total(runs, operation)
        counts = " ".join(f"{status}x{number}" for status, number in sorted(seen.items()))
        name = " ".join(operation)
        lines.append(f"{seen.total():6}  {'yes' if succeeded(seen) else 'NO ':3}  {name}: {counts}")
    return lines


def total(runs: Iterable[Run], operation: Operation) -> Counter[int]:
    """The statuses that all callers met."""
    return sum((run.statuses.get(operation, Counter()) for run in runs), Counter[int]())


def succeeded(seen: Mapping[int, int]) -> bool:
    return any(200 <= status < 300 for status in seen)


def _statuses(report: Path) -> dict[Operation, Counter[int]]:
    found: dict[Operation, Counter[int]] = {}
    if not report.exists():
        return found
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder: dict[str, Any] = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            if response := interaction.get("response"):
                counter = found.setdefault((case["method"], case["path"]), Counter())
                counter[response["status_code"]] += 1
    return found

"""The processes of the service on this machine, by what they say of themselves."""

from __future__ import annotations

import re
from http.client import HTTPConnection, HTTPException

from django.conf import settings

from apps.home.panels import DOWN, NOTE, UP, WARNING, Cell, State, Table, ago
from core import heartbeat

# Seconds; what `python -m core.heartbeat`, the probe of a deployed process, allows.
MAX_AGE = 60.0
# Roles that mark a file, and what each does.
MARKED = {"worker": "runs the tasks of all queues", "beat": "sends what is due"}
# Seconds for the management port of this machine.
TIMEOUT = 0.5


def processes() -> Table:
    """The web process by its management port, the others by the age of their heartbeat file."""
    return Table(
        ("Process", "Last sign", "State"),
        [_web(), *(_marked(role, task) for role, task in MARKED.items())],
    )


def _web() -> list[Cell]:
    now = Cell("now")  # it answers this very request
    metrics = _metrics()
    if not metrics:
        name = Cell("Web", "no management port answers")
        return [name, now, Cell(state=State(NOTE, "answers"))]
    workers, working = metrics["service_workers"], metrics["service_workers_working"]
    running = metrics["service_requests_running"]
    name = Cell("Web", f"{_count(workers, 'worker')}, {_count(running, 'request')} running")
    if working < workers:
        return [name, now, Cell(state=State(WARNING, f"{working} of {workers} work"))]
    return [name, now, Cell(state=State(UP, "works"))]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _metrics() -> dict[str, int]:
    """What the master of the web workers counts; empty where there is none, as in a test."""
    port = getattr(settings, "METRICS_PORT", None)
    if port is None:
        return {}
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, HTTPException):
        return {}
    finally:
        connection.close()
    return {name: int(value) for name, value in re.findall(r"^(service_\w+) (\d+)$", text, re.M)}


def _marked(role: str, task: str) -> list[Cell]:
    age = heartbeat.age(role)
    name = Cell(role.capitalize(), task)
    if age is None:
        return [name, Cell("never"), Cell(state=State(DOWN, "not started"))]
    state = State(UP, "works") if age <= MAX_AGE else State(DOWN, "silent")
    return [name, Cell(ago(age)), Cell(state=state)]

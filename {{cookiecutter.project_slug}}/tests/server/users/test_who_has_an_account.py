"""Neither the answer nor its time tells whether there is an account."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

from tests.factories import PASSWORD
from tests.server.conftest import StartRole
from tests.server.users.caller import Caller

SAMPLES = 100
SEED = f"""
from django.contrib.auth.hashers import make_password
from apps.users.models import User
hashed = make_password({PASSWORD!r})
User.objects.bulk_create(
    User(email="known" + str(n) + "@example.org", password=hashed) for n in range({SAMPLES})
)
"""


def test_known_and_unknown_addresses_take_the_same_time(
    start_role: StartRole, manage: Callable[..., CompletedProcess[str]]
) -> None:
    seeded = manage("shell", "-c", SEED)
    assert seeded.returncode == 0, seeded.stderr
    calls: dict[str, dict[str, Any]] = {
        "session/": {"password": "guess"},
        "accounts/": {"password": PASSWORD},
        "password/reset/mail/": {},
        "accounts/verification/mail/": {},
    }
    ratios = {}
    with start_role("web", "tests.testapp.unthrottled:application") as web:
        caller = Caller(web)
        caller.log_in("nobody@example.org", "guess")
        for turn, (path, sent) in enumerate(calls.items()):
            taken: dict[str, list[float]] = {"known": [], "unknown": []}
            answers = set()
            for n in range(SAMPLES):
                # One network each, as no limit is meant here.
                caller.address = f"10.{turn}.0.{n}"
                for kind in ("known", "unknown") if n % 2 else ("unknown", "known"):
                    email = f"{kind}{n}@example.org"
                    if kind == "unknown" and path != "accounts/":
                        email = f"nobody{n}@example.org"
                    began = time.perf_counter()
                    response, answer = caller.call("POST", path, email=email, **sent)
                    taken[kind].append(time.perf_counter() - began)
                    answer.pop("request_id", None)
                    answers.add((response.status, str(answer)))
            assert len(answers) == 1, answers
            known, unknown = (statistics.median(taken[kind]) for kind in ("known", "unknown"))
            ratios[path] = round(known / unknown, 3)
            print(f"{path}: known {known * 1000:.1f} ms, unknown {unknown * 1000:.1f} ms")
    assert all(0.8 < ratio < 1.25 for ratio in ratios.values()), ratios

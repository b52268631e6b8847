"""Requests with a key at gunicorn: sent at once, and sent again after their worker was killed."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

import pytest

from scripts.servers import Postgres
from tests.factories import PASSWORD
from tests.server.browser import Browser
from tests.server.conftest import DATABASE, StartRole
from tests.server.roles import Role
from tests.testapp.idempotent import URL

APPLICATION = "tests.testapp.idempotent_web:application"


@pytest.fixture
def name(postgres: Postgres) -> str:
    """Of the groups that a test's requests make."""
    return secrets.token_hex(8)


def groups(postgres: Postgres, name: str) -> int:
    counted = "SELECT count(*) FROM auth_group WHERE name LIKE :name || ' %'"
    return int(postgres.psql(counted, database=DATABASE, variables={"name": f"'{name}'"}))


def send(web: Role, user: Browser, name: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """One request with the key `name`. Raises `OSError` when its connection breaks."""
    response, answer = web.request(
        "POST",
        URL,
        body=json.dumps({"name": name, **body}),
        headers={
            "Content-Type": "application/json",
            "Cookie": user.cookie,
            "Origin": "https://service.test",
            "X-CSRFToken": user.token,
            "Idempotency-Key": name,
        },
        timeout=30,
    )
    return response.status, json.loads(answer)


def test_ten_at_once_have_one_effect(
    start_role: StartRole, postgres: Postgres, email: str, name: str
) -> None:
    with start_role("web", APPLICATION, env={"THREADS": "8"}) as web, ThreadPoolExecutor(10) as ten:
        user = Browser(web)
        user.log_in(email, PASSWORD)
        answers = list(ten.map(lambda _: send(web, user, name, seconds=1), range(10)))
        again = send(web, user, name, seconds=1)

    statuses = Counter(status for status, _ in answers)
    assert statuses.keys() <= {201, 409}
    codes = {answer["code"] for status, answer in answers if status == 409}
    assert codes == {"idempotency_key_in_use"}
    kept = [answer for status, answer in answers if status == 201]
    assert kept == [again[1]] * len(kept)
    assert groups(postgres, name) == 1


def test_a_worker_killed_in_the_middle_and_a_retry_have_one_effect(
    start_role: StartRole, postgres: Postgres, email: str, name: str
) -> None:
    one = {"WEB_CONCURRENCY": "1"}
    with start_role("web", APPLICATION, env=one) as web, ThreadPoolExecutor(1) as client:
        user = Browser(web)
        user.log_in(email, PASSWORD)
        worker = int(re.findall(r"Booting worker with pid: (\d+)", "\n".join(web.lines))[-1])
        lost = client.submit(send, web, user, name, seconds=3)
        # In the middle: the effect is written and not committed.
        web.wait_for_line(lambda line: "group written" in line and name in line)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises((OSError, HTTPException)):
            lost.result()
        assert groups(postgres, name) == 0

        # Until the pooler has noticed that its client is gone the key is in use.
        web.wait_until(lambda: send(web, user, name, seconds=3)[0] == 201, 30)
        assert send(web, user, name, seconds=3)[0] == 201
        assert groups(postgres, name) == 1

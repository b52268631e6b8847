"""A job over HTTP whose worker is killed in the middle."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.factories import PASSWORD
from tests.server.browser import Browser
from tests.server.conftest import StartRole
from tests.server.outbox.conftest import Ask, StartWorker
from tests.testapp import jobs

APPLICATION = "tests.testapp.jobs_web:application"
# Instead of the lease's 30 s, which tests/server/outbox waits for.
END_OF_LEASE = "UPDATE core_execution SET lease_until = clock_timestamp() WHERE key = %s"


def test_it_is_pending_until_another_worker_takes_it_and_has_one_effect(
    start_role: StartRole, start_worker: StartWorker, ask: Ask, email: str
) -> None:
    name = secrets.token_hex(8)
    with start_role("web", APPLICATION) as web, start_role("relay") as relay:
        user = Browser(web)
        user.log_in(email, PASSWORD)
        headers = {
            "Content-Type": "application/json",
            "Cookie": user.cookie,
            "Origin": "https://service.test",
            "X-CSRFToken": user.token,
        }

        def asked(address: str) -> dict[str, Any]:
            response, body = web.get(address, headers=headers)
            assert response.status == 200
            return dict(json.loads(body))

        with start_worker(include=jobs.__name__) as first:
            body = json.dumps({"name": name, "seconds": 3})
            accepted, _ = web.request("POST", "/api/test/jobs/", body=body, headers=headers)
            assert accepted.status == 202
            address = accepted.headers["Location"]
            first.wait_for_line("making")
            assert asked(address)["state"] == "running"
            first.process.kill()
        ask(END_OF_LEASE, asked(address)["id"])
        relay.wait_for_line("published again")
        assert asked(address)["state"] == "pending"
        with start_worker(include=jobs.__name__) as second:
            second.wait_until(lambda: asked(address)["state"] == "succeeded")
        assert asked(address)["result"] == {"groups": 1}
        assert ask("SELECT count(*) FROM auth_group WHERE name = %s", name) == [(1,)]

"""Long work over the API: accepted, asked about by whoever it belongs to, and done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from core.deadletters.models import DeadLetter
from core.deadletters.recording import record
from core.executions import leases
from core.executions.models import Execution
from core.jobs.models import Job
from core.jobs.tasks import clear_old_jobs
from core.outbox import sweeping
from core.outbox.models import Message
from tests.factories import UserFactory
from tests.testapp.jobs import make_group, make_nothing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.testapp.jobs")]


HOOK = "https://customer.example/hook"


@pytest.fixture
def caller() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory.create())
    return client


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message stays in the outbox, as while no relay runs."""
    monkeypatch.setattr("core.outbox.writing._committed", lambda: None)


def start(client: Client, name: str = "pens", **body: Any) -> Any:
    return client.post("/api/test/jobs/", {"name": name, **body}, "application/json")


def told(job: Any) -> list[str]:
    """The bodies of the messages that tell of it."""
    news = Message.objects.filter(task="core.webhooks.sending.deliver", body__contains=job["id"])
    return list(news.values_list("body", flat=True))


def run_of(job: Any, **fields: Any) -> None:
    """What is known of its run."""
    now = timezone.now()
    defaults = {"task": "t", "queue": "default", "body": "", "holder": "a", "lease_until": now}
    Execution.objects.update_or_create(key=job["id"], defaults={**defaults, **fields})


@pytest.mark.usefixtures("waiting")
def test_it_is_accepted_with_the_address_where_it_is_asked_about(caller: Client) -> None:
    accepted = start(caller)
    job = accepted.json()
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"/api/v1/jobs/{job['id']}/"
    assert accepted.headers["Retry-After"] == "2"
    assert (job["state"], job["result"], job["ended_at"]) == ("pending", None, None)
    assert Message.objects.get().message_id == job["id"]
    asked = caller.get(accepted.headers["Location"])
    assert (asked.status_code, asked.json()) == (200, job)
    assert asked.headers["Retry-After"] == "2"
    assert (
        "no-store" in asked.headers["Cache-Control"] or "no-cache" in asked.headers["Cache-Control"]
    )


def test_its_result_comes_with_its_effect(caller: Client) -> None:
    accepted = start(caller)
    job = caller.get(accepted.headers["Location"]).json()
    assert (job["state"], job["result"]) == ("succeeded", {"groups": 1})
    assert job["ended_at"] is not None
    assert "Retry-After" not in caller.get(accepted.headers["Location"]).headers


@pytest.mark.usefixtures("waiting")
def test_it_runs_only_while_a_worker_holds_its_lease(caller: Client) -> None:
    job = start(caller).json()
    address = f"/api/v1/jobs/{job['id']}/"
    now = timezone.now()
    for lease, state in ((timedelta(seconds=30), "running"), (timedelta(seconds=-1), "pending")):
        run_of(job, lease_until=now + lease)
        assert caller.get(address).json()["state"] == state
    run_of(job, failed_at=now)
    failed = caller.get(address)
    assert failed.json()["state"] == "failed"
    assert failed.json()["ended_at"] is not None
    assert "Retry-After" not in failed.headers


@pytest.mark.usefixtures("waiting")
def test_it_is_pending_while_it_waits_for_a_retry_or_for_another_worker(caller: Client) -> None:
    job = start(caller).json()
    address = f"/api/v1/jobs/{job['id']}/"
    names = {"task": "t", "queue": "default", "body": "[[],{},{}]", "headers": "{}"}
    leases.claim(job["id"], holder="a", **names)
    assert caller.get(address).json()["state"] == "running"
    leases.release(job["id"], "a", 60)  # as a retry a minute from now
    assert caller.get(address).json()["state"] == "pending"
    leases.claim(job["id"], holder="b", **names)
    Execution.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # b has died
    sweeping.sweep()
    assert caller.get(address).json()["state"] == "pending"


@pytest.mark.usefixtures("waiting")
def test_nobody_else_finds_it(caller: Client) -> None:
    address = start(caller).headers["Location"]
    other = Client()
    assert other.get(address).status_code == 401
    other.force_login(UserFactory.create())
    assert other.get(address).status_code == 404
    assert caller.get(f"/api/v1/jobs/{uuid4()}/").status_code == 404


def test_nobody_without_a_name_starts_one() -> None:
    assert start(Client()).status_code == 401
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    "url", ["no url", "ftp://customer.example/", "https://customer.example/" + "x" * 500]
)
def test_an_address_that_no_webhook_can_have_is_refused(caller: Client, url: str) -> None:
    refused = start(caller, webhook_url=url)
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/webhook_url"]
    assert Job.objects.count() == Message.objects.count() == 0


def test_a_second_delivery_changes_nothing(caller: Client) -> None:
    job = start(caller).json()
    make_group.apply(("pens",), task_id=job["id"])
    assert Group.objects.filter(name="pens").count() == 1


def test_the_same_task_without_a_job_has_its_effect() -> None:
    make_group.apply(("alone",), task_id="no-uuid")
    make_group.apply(("alone too",), task_id=str(uuid4()))
    assert Group.objects.count() == 2


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("task", "arguments", "result"), [(make_group, ("pens",), "{"), (make_nothing, (), "null")]
)
def test_a_success_is_told_by_webhook_once(
    caller: Client, task: Any, arguments: tuple[str, ...], result: str
) -> None:
    job = start(caller, webhook_url=HOOK).json()
    for _ in range(2):
        task.apply(arguments, task_id=job["id"])
    [body] = told(job)
    assert f'\\"state\\":\\"succeeded\\",\\"result\\":{result}' in body
    assert caller.get(f"/api/v1/jobs/{job['id']}/").json()["state"] == "succeeded"


@pytest.mark.usefixtures("waiting")
def test_a_failure_for_good_is_told_by_webhook(caller: Client) -> None:
    job = start(caller, webhook_url=HOOK).json()
    run_of(job)
    record(DeadLetter.Kind.FAILED, message_id=job["id"], reason="bad")
    [body] = told(job)
    assert '\\"state\\":\\"failed\\"' in body


@pytest.mark.usefixtures("waiting")
def test_a_release_that_does_not_know_the_task_yet_is_no_failure(caller: Client) -> None:
    job = start(caller, webhook_url=HOOK).json()
    record(DeadLetter.Kind.UNKNOWN, message_id=job["id"], reason="unknown")
    assert told(job) == []
    assert caller.get(f"/api/v1/jobs/{job['id']}/").json()["state"] == "pending"


@pytest.mark.usefixtures("waiting")
def test_the_news_of_a_failure_is_lost_with_its_dead_letter_and_never_alone(caller: Client) -> None:
    job = start(caller, webhook_url=HOOK).json()
    run_of(job)
    with transaction.atomic():
        record(DeadLetter.Kind.FAILED, message_id=job["id"], reason="bad")
        transaction.set_rollback(True)
    assert told(job) == []


@pytest.mark.usefixtures("waiting")
def test_a_webhook_that_nothing_can_sign_is_refused_before_the_work(
    caller: Client, settings: Any
) -> None:
    settings.WEBHOOK_SECRETS = []
    caller.raise_request_exception = True
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_SECRETS"):
        start(caller, webhook_url=HOOK)
    assert Job.objects.count() == Message.objects.count() == 0


@pytest.mark.usefixtures("waiting")
def test_secrets_that_went_in_between_take_no_effect_back(caller: Client, settings: Any) -> None:
    job = start(caller, webhook_url=HOOK).json()
    settings.WEBHOOK_SECRETS = []
    make_group.apply(("pens",), task_id=job["id"])
    assert Group.objects.count() == 1
    assert told(job) == []


@pytest.mark.usefixtures("waiting")
def test_those_done_a_week_ago_are_deleted_and_one_that_waits_is_kept(caller: Client) -> None:
    done, waits = (start(caller, name).json() for name in ("pens", "pins"))
    make_group.apply(("pens",), task_id=done["id"])
    assert clear_old_jobs() == 0
    week = timedelta(days=7, seconds=1)
    Job.objects.update(created_at=F("created_at") - week, ended_at=F("ended_at") - week)
    assert clear_old_jobs() == 1
    assert str(Job.objects.get().pk) == waits["id"]
    Job.objects.update(created_at=F("created_at") - timedelta(days=24))
    assert clear_old_jobs() == 1


def test_leases_know_the_job_by_its_id(caller: Client) -> None:
    job = start(caller).json()
    assert leases.claim(job["id"], holder="b", task="t", queue="q", body="", headers="{}").refused

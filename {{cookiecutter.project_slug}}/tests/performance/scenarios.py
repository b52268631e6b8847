"""How each operation, admin list and task of what every service keeps succeeds."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import cache, partial
from itertools import count
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.api_keys.models import ApiKey
from apps.users import keys
from apps.users.models import User
from core.deadletters.models import DeadLetter
from core.executions.models import Execution
from core.idempotency.models import Answer
from core.jobs.models import Job
from core.lockout.models import Counter
from core.webhooks.models import Received
from tests.factories import PASSWORD, UserFactory
from tests.partner import Partner
from tests.performance.budgets import Call, scenario

NEW_PASSWORD = "a quite different passphrase"
_numbers = count()


def waiting_user() -> User:
    """Who has signed up and has not confirmed the address."""
    user = UserFactory.create()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    return user


def superuser() -> User:
    return UserFactory.create(is_staff=True, is_superuser=True)


def issue_key(user: User | None = None) -> ApiKey:
    return ApiKey.issue(user=user or UserFactory.create(), name="export", expires_at=None)[0]


@cache
def taking_partner() -> Partner:
    """Who takes the webhooks of this process, until it ends."""
    partner = Partner()
    threading.Thread(target=partner.serve_forever, daemon=True).start()
    return partner


# Accounts -----------------------------------------------------------------------------------------


@scenario("GET /api/v1/session/")
def who_am_i() -> Call:
    return Call(user=UserFactory.create())


@scenario("POST /api/v1/session/")
def log_in() -> Call:
    return Call(body={"email": UserFactory.create().email, "password": PASSWORD})


@scenario("DELETE /api/v1/session/")
def log_out() -> Call:
    return Call(user=UserFactory.create())


@scenario("POST /api/v1/accounts/")
def sign_up() -> Call:
    return Call(body={"email": f"new{next(_numbers)}@example.org", "password": PASSWORD})


@scenario("POST /api/v1/accounts/verification/")
def verify() -> Call:
    return Call(body={"key": keys.verification_key(waiting_user())})


@scenario("POST /api/v1/accounts/verification/mail/")
def ask_for_verification() -> Call:
    return Call(body={"email": waiting_user().email})


@scenario("POST /api/v1/password/")
def change_password() -> Call:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return Call(user=UserFactory.create(), body=body)


@scenario("POST /api/v1/password/reset/")
def reset_password() -> Call:
    return Call(body={"key": keys.reset_key(UserFactory.create()), "password": NEW_PASSWORD})


@scenario("POST /api/v1/password/reset/mail/")
def ask_for_reset() -> Call:
    return Call(body={"email": UserFactory.create().email})


# API keys -----------------------------------------------------------------------------------------


@scenario("GET /api/v1/api-keys/")
def list_keys() -> Call:
    user = UserFactory.create()
    return Call(user=user, query="page_size=100", more=partial(issue_key, user))


@scenario("POST /api/v1/api-keys/")
def create_key() -> Call:
    return Call(user=UserFactory.create(), body={"name": "export"})


@scenario("GET /api/v1/api-keys/{id}/")
@scenario("DELETE /api/v1/api-keys/{id}/")
def one_key() -> Call:
    key = issue_key()
    return Call(user=key.user, path={"id": key.pk})


# Lists of the admin -------------------------------------------------------------------------------


def make_group() -> None:
    Group.objects.create(name=f"Group {next(_numbers)}")


def make_factor() -> None:
    Authenticator.objects.create(user=UserFactory.create(), type="totp", data={})


@scenario("GET /admin/auth/group/")
def admin_groups() -> Call:
    return Call(user=superuser(), more=make_group)


@scenario("GET /admin/account/emailaddress/")
def admin_addresses() -> Call:
    return Call(user=superuser(), more=waiting_user)


@scenario("GET /admin/users/user/")
def admin_users() -> Call:
    return Call(user=superuser(), more=UserFactory.create)


@scenario("GET /admin/mfa/authenticator/")
def admin_factors() -> Call:
    return Call(user=superuser(), more=make_factor)


@scenario("GET /admin/api_keys/apikey/")
def admin_keys() -> Call:
    return Call(user=superuser(), more=issue_key)


def make_letter() -> None:
    DeadLetter.objects.create(kind=DeadLetter.Kind.GARBAGE, reason="no message")


@scenario("GET /admin/core_deadletters/deadletter/")
def admin_dead_letters() -> Call:
    return Call(user=superuser(), more=make_letter)


# Tasks --------------------------------------------------------------------------------------------


def end_session() -> None:
    Session.objects.create(
        session_key=f"ended{next(_numbers)}",
        session_data="",
        expire_date=timezone.now() - timedelta(days=1),
    )


def end_counter() -> None:
    ended = timezone.now() - timedelta(days=1)
    Counter.objects.create(key=f"ended{next(_numbers)}", count=1, expires_at=ended)


@scenario("task apps.users.tasks.send_verification")
def send_verification() -> Call:
    return Call(args=(waiting_user().email,))


@scenario("task apps.users.tasks.send_password_reset")
def send_password_reset() -> Call:
    return Call(args=(UserFactory.create().email,))


@scenario("task apps.users.tasks.send_already_known")
@scenario("task apps.users.tasks.send_password_changed")
def send_to_user() -> Call:
    return Call(args=(UserFactory.create().pk,))


@scenario("task core.sessions.tasks.clear_expired_sessions")
def clear_sessions() -> Call:
    return Call(more=end_session)


@scenario("task core.lockout.tasks.clear_expired_counters")
def clear_counters() -> Call:
    return Call(more=end_counter)


def end_execution() -> None:
    Execution.objects.create(
        key=f"old{next(_numbers)}",
        task="t",
        queue="default",
        body="[[], {}]",
        holder="",
        lease_until=timezone.now() - timedelta(days=9),
        completed_at=timezone.now() - timedelta(days=8),
    )


@scenario("task core.executions.tasks.clear_old_executions")
def clear_executions() -> Call:
    return Call(more=end_execution)


def keep_answer() -> None:
    Answer.objects.create(
        user_id=1,
        route="POST api/v1/session/",
        key=f"key {next(_numbers)}",
        fingerprint=bytes(32),
        status=201,
        body=b"{}",
        created_at=timezone.now() - timedelta(days=2),
    )


@scenario("task core.idempotency.tasks.clear_old_answers")
def clear_answers() -> Call:
    return Call(more=keep_answer)


def keep_job(owner: User | None = None) -> Job:
    return Job.objects.create(
        id=uuid4(),
        owner_id=owner.pk if owner else 1,
        task="t",
        created_at=timezone.now() - timedelta(days=31),
    )


@scenario("GET /api/v1/jobs/{id}/")
def ask_about_job() -> Call:
    user = UserFactory.create()
    return Call(user=user, path={"id": keep_job(user).pk})


@scenario("task core.jobs.tasks.clear_old_jobs")
def clear_jobs() -> Call:
    return Call(more=keep_job)


def keep_webhook() -> None:
    Received.objects.create(
        source="partner",
        webhook_id=f"msg_{next(_numbers)}",
        body={},
        received_at=timezone.now() - timedelta(days=40),
    )


@scenario("task core.webhooks.tasks.clear_old_webhooks")
def clear_webhooks() -> Call:
    return Call(more=keep_webhook)


@scenario("task core.webhooks.sending.deliver")
def deliver_webhook() -> Call:
    return Call(args=(f"{taking_partner().url}/hook", "{}"))


@scenario("task core.edge.tasks.purge_edge")
def purge_edge() -> Call:
    return Call(args=("http://127.0.0.1:9", []))


@scenario("task core.storage.tasks.delete_files")
def delete_files() -> Call:
    return Call(args=(["gone"],))

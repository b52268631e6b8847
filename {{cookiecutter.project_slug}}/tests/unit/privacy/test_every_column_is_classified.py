"""A column that nobody classified is an error of `manage.py check`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks.registry import registry
from pytest_django import Settings

from core.privacy import CLEARED, EMAIL, EMPTIED, NAME, PUBLIC, TEXT, TOKEN
from core.privacy.checks import every_column_is_classified
from core.privacy.columns import problems


def test_all_are() -> None:
    assert list(problems()) == []


def with_sessions(settings: Settings, declared: Any) -> list[str]:
    settings.PRIVACY = settings.PRIVACY | {"sessions.Session": declared}
    return list(problems())


def test_a_column_without_a_kind_fails_the_check(settings: Settings) -> None:
    settings.PRIVACY = settings.PRIVACY | {"sessions.Session": {PUBLIC: "expire_date"}}
    assert every_column_is_classified in registry.get_checks()
    found = [error.msg for error in every_column_is_classified()]
    assert found == [
        f"sessions.Session.{name} has no kind in PRIVACY: say what it tells of a person."
        for name in ("session_key", "session_data")
    ]


def test_a_table_that_nobody_declared_fails_for_each_column(settings: Settings) -> None:
    settings.PRIVACY = {
        label: declared for label, declared in settings.PRIVACY.items() if label != "auth.Group"
    }
    assert [problem.split()[0] for problem in problems()] == ["auth.Group.name"]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({PUBLIC: "session_key session_data expire_date gone"}, "gone is declared"),
        ({PUBLIC: "session_key session_data expire_date", TEXT: "session_data"}, "declared twice"),
        ({TOKEN: "session_key", PUBLIC: "session_data expire_date"}, "it names the row"),
        ({PUBLIC: "session_key session_data", TEXT: "expire_date"}, "it is no text"),
        ({PUBLIC: "session_key session_data", CLEARED: "expire_date"}, "neither NULL nor empty"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_told(
    settings: Settings, declared: Any, told: str
) -> None:
    assert any(told in problem for problem in with_sessions(settings, declared))


def test_an_address_is_never_public_and_a_unique_name_would_clash(
    settings: Settings,
) -> None:
    settings.PRIVACY = settings.PRIVACY | {
        "account.EmailAddress": {PUBLIC: "email verified primary"},
        "auth.Group": {NAME: "name"},
    }
    assert [problem.partition(" cannot be ")[0] for problem in problems()] == [
        "auth.Group.name",
        "account.EmailAddress.email",
    ]


def test_what_is_emptied_needs_no_columns_and_must_exist(settings: Settings) -> None:
    settings.PRIVACY = settings.PRIVACY | {"sessions.Gone": EMPTIED}
    assert list(problems()) == ["sessions.Gone is declared in PRIVACY, and there is no such table."]
    assert EMAIL == "email"

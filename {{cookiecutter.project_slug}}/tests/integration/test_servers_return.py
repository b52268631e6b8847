"""A test may take a server away: its own clean-up and the next test find it again."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection


def select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.parametrize("server", ["postgres", "pgbouncer"])
@pytest.mark.django_db(transaction=True)
def test_what_a_test_kills_is_there_for_its_clean_up_and_the_next_test(
    server: str, request: pytest.FixtureRequest
) -> None:
    select()
    request.getfixturevalue(server).kill()
    # The pooler tries to log in, fails, and refuses for a second; Django keeps what is dead.
    with pytest.raises(DatabaseError):
        select()
    with pytest.raises(DatabaseError):
        select()


@pytest.mark.django_db
def test_a_test_in_a_transaction_finds_them_too() -> None:
    select()

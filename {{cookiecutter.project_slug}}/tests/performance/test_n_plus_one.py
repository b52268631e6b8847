"""An N+1 passes no test that makes the request, and production does not look for it."""

from __future__ import annotations

import re
import subprocess

import pytest
from django.test import Client
from pytest_django import Settings
from zeal import NPlusOneError

from apps.api_keys.models import ApiKey
from apps.users.models import User
from scripts.check_settings import complete
from tests.factories import UserFactory
from tests.performance.budgets import Call, Scenario, verdict
from tests.performance.queries import max_queries, recorded
from tests.performance.scenarios import issue_key
from tests.stack import BASE_DIR, clean_environment, program
from tests.testapp.reverse_relation import history

PATH = "/test/histories/"
LINE = f"tests/testapp/reverse_relation.py:{history.__code__.co_firstlineno + 1} in history"


def list_of_histories() -> Call:
    return Call(more=UserFactory.create)


@pytest.fixture
def _histories(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.testapp.reverse_relation"


@pytest.mark.django_db
@pytest.mark.usefixtures("_histories")
class TestOnAReverseRelation:
    """Which FETCH_PEERS does not cover."""

    def test_it_is_refused_from_the_second_row_on_and_its_line_is_named(
        self, client: Client
    ) -> None:
        UserFactory.create()
        assert client.get(PATH).status_code == 200
        UserFactory.create()
        with pytest.raises(NPlusOneError, match=rf"users.User.logentry_set at .*{LINE}"):
            client.get(PATH)

    def test_without_zeal_its_budget_says_how_often_what_is_asked_and_where(
        self, settings: Settings
    ) -> None:
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
        scenario = Scenario(f"GET {PATH}", list_of_histories)
        UserFactory.create_batch(4)
        _, answer, queries = scenario.measure()
        assert answer.status_code == 200
        wrong = verdict(scenario, queries, 2) or ""
        assert f"GET {PATH} makes 6 queries and has a budget of 2, in tests/perf" in wrong
        assert "  2. 5 x SELECT ... FROM django_admin_log WHERE django_admin_log.user_id" in wrong
        assert f"\n       {LINE}" in wrong

    def test_a_relation_that_is_loaded_together_passes(self) -> None:
        users = UserFactory.create_batch(3)
        with recorded() as queries:
            for user in User.objects.prefetch_related("logentry_set"):
                assert list(user.logentry_set.all()) == []
        assert len(users) == 3
        assert len(queries) == 2


@pytest.mark.django_db
class TestOnAForeignKey:
    """FETCH_PEERS: a forgotten `select_related` is one query more, and not one for each row."""

    def test_twenty_rows_load_their_users_by_one_query(self) -> None:
        for _ in range(20):
            issue_key()
        with max_queries(2):
            assert len({key.user.email for key in ApiKey.objects.all()}) == 20

    def test_so_do_the_rows_of_a_relation(self) -> None:
        user = UserFactory.create()
        for _ in range(20):
            issue_key(user)
        [again] = User.objects.prefetch_related("api_keys")
        keys = again.api_keys.defer("name")
        with max_queries(2):
            assert {key.name for key in keys} == {"export"}


class TestTheVerdict:
    """Exact: a budget that is not used up would let the next query in unseen."""

    scenario = Scenario("GET /api/v1/nothing/", list_of_histories)

    @pytest.mark.parametrize(
        ("budget", "expected"),
        [
            (None, "has no budget. If that is what it should make, add to tests/performance/"),
            (1, "has a budget of 1. Lower it in tests/performance/"),
        ],
    )
    def test_what_is_missing_or_too_high_gets_the_line_to_write(
        self, budget: int | None, expected: str
    ) -> None:
        told = verdict(self.scenario, [], budget) or ""
        assert expected in told
        assert 'budgets.toml:\n    "GET /api/v1/nothing/" = 0' in told

    def test_what_is_met_needs_no_word(self) -> None:
        assert verdict(self.scenario, [], 0) is None


@pytest.mark.django_db
class TestABlock:
    """`max_queries`, for what is no operation."""

    def test_within_its_number_it_passes_and_beyond_it_tells_the_shapes(self) -> None:
        UserFactory.create_batch(2)
        with max_queries(1):
            list(User.objects.all())

        @max_queries(1)
        def ask_twice() -> None:
            list(User.objects.filter(pk__in=[1, 2]))
            list(User.objects.filter(pk__in=[1, 2, 3]))

        with pytest.raises(pytest.fail.Exception) as failed:
            ask_twice()
        message, shape, first, *second = str(failed.value).splitlines()
        assert message == "2 queries, of at most 1:"
        assert shape == "  1. SELECT ... FROM users_user WHERE users_user.id IN (%s, ...)"
        assert "tests/performance/test_n_plus_one.py" in first
        assert shape.removeprefix("  1.") == second[0].removeprefix("  2.")

    @max_queries(0)
    def test_a_test_can_be_decorated_as_a_whole(self) -> None:
        pass


@pytest.mark.django_db
def test_a_query_of_a_library_has_its_line_and_the_line_of_ours_that_called_it() -> None:
    with recorded() as queries:
        User.objects.create_user("ada@example.org")
    [query] = queries
    library = r"django/contrib/auth/base_user.py:\d+ in save"
    assert re.fullmatch(
        rf"{library}, called by apps/users/models.py:\d+ in create_user", query.place
    )


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_nothing_that_is_deployed_installs_or_imports_zeal(environment: str) -> None:
    done = subprocess.run(
        [program("python"), "-c", START],
        cwd=BASE_DIR,
        env=clean_environment(**complete(environment)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"


# What scripts/start.sh web imports before the first request.
START = """
import sys
import django
django.setup()
from django.core.handlers.wsgi import WSGIHandler
WSGIHandler()
print("zeal" in sys.modules)
"""

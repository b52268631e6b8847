"""What a worker has before its first request."""

from tests.server.conftest import StartRole

FAILING = "tests.testapp.failing:application"


def test_a_worker_starts_with_the_application_loaded_and_out_of_every_collection(
    start_role: StartRole,
) -> None:
    with start_role("web", FAILING, env={"WEB_CONCURRENCY": "1"}) as web:
        _, objects = web.get("/frozen/")

    # The interpreter alone has some 30,000; Django and its libraries make the rest.
    assert int(objects) > 100_000

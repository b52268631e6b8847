"""The admin of a deployed service: on its own host, which no other setting needs to name."""

from tests.server.conftest import StartRole


def test_the_admin_answers_on_its_host_alone(start_role: StartRole) -> None:
    with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
        own, _ = web.get("/admin/", headers={"Host": "admin.service.test"})
        public, _ = web.get("/admin/", headers={"Host": "service.test"})
        foreign, _ = web.get("/admin/", headers={"Host": "evil.test"})

    # 302: to the login form.
    assert (own.status, public.status, foreign.status) == (302, 404, 400)

"""The admin of a deployed service asks for a second factor, by production's own settings.

Its pages are looked at in tests/integration: here static files are not collected.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.cookies import SimpleCookie
from subprocess import CompletedProcess
from urllib.parse import urlencode

from allauth.mfa.totp.internal import auth as totp

from tests.factories import PASSWORD
from tests.server.conftest import StartRole
from tests.server.roles import Role

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SEED = f"""
from allauth.mfa.totp.internal.auth import TOTP
from apps.users.models import User
User.objects.create_superuser("new@example.org", {PASSWORD!r})
TOTP.activate(User.objects.create_superuser("enrolled@example.org", {PASSWORD!r}), {SECRET!r})
"""
# Any page of the admin that needs no static file.
PAGE = "/admin/jsi18n/"


class Browser:
    """Sends cookies and the CSRF token, and follows no redirect."""

    def __init__(self, web: Role, host: str = "admin.service.test") -> None:
        self.web, self.host = web, host
        self.cookies: SimpleCookie = SimpleCookie()
        self.token = json.loads(self.open("/api/v1/session/")[1])["csrf_token"]

    def open(self, path: str, **form: str) -> tuple[int, str]:
        """The status, and where it sends us or the page."""
        response, body = self.web.request(
            "POST" if form else "GET",
            path,
            body=urlencode(form | {"csrfmiddlewaretoken": self.token}) if form else None,
            headers={
                "Host": self.host,
                "Origin": f"https://{self.host}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": "; ".join(f"{name}={m.value}" for name, m in self.cookies.items()),
            },
        )
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies.load(header)
        return response.status, response.headers.get("Location") or body.decode()

    def log_in(self, email: str, code: str = "") -> tuple[int, str]:
        sent = {"username": email, "password": PASSWORD, "code": code, "next": PAGE}
        return self.open("/admin/login/", **sent)


def test_a_password_opens_the_enrolment_alone_and_a_code_the_admin(
    start_role: StartRole, manage: Callable[..., CompletedProcess[str]]
) -> None:
    seeded = manage("shell", "-c", SEED)
    assert seeded.returncode == 0, seeded.stderr
    with start_role("web", env={"WEB_CONCURRENCY": "1"}) as web:
        browser = Browser(web)
        assert browser.log_in("new@example.org") == (302, PAGE)
        assert browser.open(PAGE) == (302, f"/admin/login/?next={PAGE}")
        assert browser.open("/admin/login/") == (302, "/admin/second-factor/")

        _, present, _ = map(
            totp.format_hotp_value,
            (totp.hotp_value(SECRET, step) for step in totp.yield_hotp_counters_from_time()),
        )
        browser = Browser(web)
        assert browser.log_in("enrolled@example.org", present) == (302, PAGE)
        assert browser.open(PAGE)[0] == 200

        public = Browser(web, "service.test")
        for path in ("/admin/second-factor/", "/admin/login/"):
            assert public.open(path)[0] == 404

"""A browser in front of a role: keeps cookies, sends the origin and the last CSRF token."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any

from tests.server.roles import Role

SESSION = "/api/v1/session/"
COOKIE = "__Host-session"


class Browser:
    """`Browser(web)`; `elsewhere(other)` is the same person on another server, cookies copied."""

    def __init__(self, web: Role) -> None:
        self.web = web
        self.cookies: SimpleCookie = SimpleCookie()
        self.token = ""

    def elsewhere(self, web: Role) -> Browser:
        other = Browser(web)
        other.cookies.load(self.cookies.output(header="", sep=";"))
        other.token = self.token
        return other

    def call(self, method: str, path: str, sent: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer. Keeps what it is told to keep."""
        response, body = self.web.request(
            method,
            path,
            body=None if sent is None else json.dumps(sent),
            headers={
                "Content-Type": "application/json",
                "Cookie": self.cookie,
                "Origin": "https://service.test",
                "X-CSRFToken": self.token,
            },
        )
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies.load(header)
        answer = json.loads(body or b"{}")
        self.token = answer.get("csrf_token", self.token)
        return response.status, answer

    @property
    def cookie(self) -> str:
        """The request header that makes a request the user's."""
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())

    @property
    def session_key(self) -> str:
        return self.cookies[COOKIE].value

    def log_in(self, email: str, password: str) -> None:
        self.call("GET", SESSION)
        status, answer = self.call("POST", SESSION, {"email": email, "password": password})
        assert (status, answer["user"]["email"]) == (200, email)

    def log_out(self) -> None:
        assert self.call("DELETE", SESSION)[0] == 204

    def is_logged_in(self) -> bool:
        status, answer = self.call("GET", SESSION)
        assert status == 200, (status, answer)
        return answer["user"] is not None

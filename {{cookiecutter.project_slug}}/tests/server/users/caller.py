"""A program that calls the API of a deployed service, from an address that the proxy reports."""

from __future__ import annotations

import json
from http.client import HTTPResponse
from http.cookies import SimpleCookie
from typing import Any

from tests.server.roles import Role


class Caller:
    """Keeps cookies and the CSRF token."""

    def __init__(self, web: Role, address: str = "192.0.2.1") -> None:
        self.web = web
        self.address = address
        self.cookies: SimpleCookie = SimpleCookie()
        self.token = ""
        self.call("GET", "session/")

    def call(self, method: str, path: str, **sent: Any) -> tuple[HTTPResponse, Any]:
        response, body = self.web.request(
            method,
            "/api/v1/" + path,
            body=json.dumps(sent) if sent else None,
            headers={
                "Content-Type": "application/json",
                "Cookie": "; ".join(f"{name}={m.value}" for name, m in self.cookies.items()),
                "Origin": "https://service.test",
                "X-CSRFToken": self.token,
                "X-Forwarded-For": self.address,
            },
        )
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies.load(header)
        answer = json.loads(body) if body else {}
        self.token = answer.get("csrf_token", self.token)
        return response, answer

    def log_in(self, email: str, password: str) -> HTTPResponse:
        return self.call("POST", "session/", email=email, password=password)[0]

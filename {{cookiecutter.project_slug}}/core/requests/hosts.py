"""The admin exists on one host name only."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port

from core.middleware import Answer, AsyncAnswer, Middleware


class AdminHostMiddleware(Middleware):
    """Answer 404 under /admin on every host but settings.ADMIN_HOST.

    A proxy can then keep that host inside a network, and a public name shows no login form. The
    rest of the service answers on ADMIN_HOST too: the admin needs static files, and probes come by
    any name. Unset (in development) the admin is on every host, and this middleware takes itself
    out.

    Weighed: a second URLconf per host (django-hosts) for what is one comparison.
    """

    def __init__(self, get_response: Answer | AsyncAnswer) -> None:
        if not settings.ADMIN_HOST:
            raise MiddlewareNotUsed
        super().__init__(get_response)
        self._admin_host: str = settings.ADMIN_HOST.lower()

    def before(self, request: HttpRequest) -> None:
        path = request.path_info
        # Without the slash as well: the redirect to /admin/ would tell that it exists.
        if path != "/admin" and not path.startswith("/admin/"):
            return
        if split_domain_port(request.get_host())[0] != self._admin_host:
            raise Http404("The admin is on another host.")

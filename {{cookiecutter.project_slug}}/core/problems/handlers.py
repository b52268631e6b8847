"""Errors outside of DRF's views: a problem under `/api/`, a short page elsewhere.

Named by `handler400` and the others in the root URLconf, and by CSRF_FAILURE_VIEW. The page and its
words are those of `core.pages.errors`.
"""

from __future__ import annotations

import json
import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from core.db.outage import RETRY_AFTER, unavailable
from core.pages import errors
from core.problems.problems import CONTENT_TYPE, problem

SAFE_METHODS = ("GET", "HEAD")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for a body over DATA_UPLOAD_MAX_MEMORY_SIZE."""
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, "too_large", _("The request's body is too large."))
    return _answer(request, 400, "bad_request", _("The request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, 403, "permission_denied", _("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form or a call without a valid CSRF token; `reason` is Django's, for the logs."""
    return _answer(
        request,
        403,
        "csrf_failed",
        _("The CSRF token is missing or wrong: load the page again, or send it as X-CSRFToken."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _answer(request, 404, "not_found", _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500, whose traceback Django logs; 503 for what is an outage and no bug, which is logged."""
    if (answer := unavailable(sys.exception())) is not None:
        response = _answer(request, 503, answer.code, answer.detail)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
        return response
    return _answer(
        request, 500, "error", _("The service failed; the request id finds the reason in its logs.")
    )


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """The last pattern below `/api/`: a problem, in development too, where Django has its own page.

    It hides missing paths from APPEND_SLASH, so a GET without its last slash is redirected here.
    """
    slashed = request.path_info + "/"
    if request.method in SAFE_METHODS and not request.path_info.endswith("/"):
        try:
            known = resolve(slashed).func is not unknown_path
        except Resolver404:
            known = False
        if known:
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    return not_found(request)


def _answer(request: HttpRequest, status: int, code: str, detail: str | Promise) -> HttpResponse:
    if request.path_info.startswith(errors.PROGRAMS):
        body = problem(request, status, code=code, detail=detail)
        return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)
    return errors.respond(request, status, errors.CSRF if code == "csrf_failed" else None)

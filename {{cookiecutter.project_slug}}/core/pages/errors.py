"""Errors as people see them: what happened, what to do now, and the id that finds it in the logs.

One template, `error.html`, for Django, for the proxy in front of it and for a CDN. It is rendered
without a request, so no context processor runs, and it asks neither database nor cache: it works
while they do not. Weighed: Django's own `404.html` and its siblings are rendered with every
context processor (but for 500), and each status would be a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.client import responses

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import get_nonce
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEMPLATE = "error.html"
# Where programs call, and want a problem (`core.problems`) instead of a page.
PROGRAMS = ("/api/", "/stream/")


@dataclass(frozen=True, slots=True)
class Words:
    """`title` names the error, `happened` says what it means, `advice` what to do now."""

    title: str | Promise
    happened: str | Promise
    advice: str | Promise


_LATER = _("Try again in a minute. If it stays like this, tell us.")

WORDS = {
    400: Words(
        _("Bad request"),
        _("The service could not understand what the browser sent."),
        _("Check the address, or go back and try once more."),
    ),
    403: Words(
        _("Not allowed"),
        _("The account you use, or its absence, does not open this page."),
        _("Log in with an account that may see it, or ask whoever sent you here."),
    ),
    404: Words(
        _("Page not found"),
        _("There is nothing at this address: the link may be old, or a letter may be wrong."),
        _("Check the address, or begin at the start page."),
    ),
    405: Words(
        _("Method not allowed"),
        _("This address exists, and what was asked of it does not."),
        _("Open the address itself, without sending a form to it."),
    ),
    413: Words(
        _("Too large"),
        _("What was sent is larger than the service accepts."),
        _("Send a smaller file, or several of them one by one."),
    ),
    414: Words(
        _("Address too long"),
        _("The address is longer than the service reads."),
        _("Begin at the start page, and send long texts by a form."),
    ),
    421: Words(
        _("Unknown site"),
        _("There is no site of this name here."),
        _("Check the name in the address."),
    ),
    429: Words(
        _("Too many requests"),
        _("More requests came from you than the service answers in this time."),
        _("Wait a minute, then go on."),
    ),
    431: Words(
        _("Too large"),
        _("The browser sent more about itself than the service reads."),
        _("Delete the cookies of this site, then load the page again."),
    ),
    500: Words(
        _("Something went wrong"),
        _("The service failed while it worked on this page. The failure has been recorded."),
        _("Try once more. If it fails again, tell us."),
    ),
    502: Words(_("Not available"), _("The service did not answer."), _LATER),
    503: Words(_("Not available"), _("The service cannot answer at the moment."), _LATER),
    504: Words(_("Too slow"), _("The service did not answer in time."), _LATER),
}
# What programs compare where the proxy answers for the service, whose own errors have more.
CODES = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "uri_too_long",
    421: "misdirected",
    429: "throttled",
    431: "headers_too_large",
    500: "error",
    502: "bad_gateway",
    503: "unavailable",
    504: "timeout",
}
# 403 as well, and another thing to do about it.
CSRF = Words(
    _("Form out of date"),
    _("The form's security token (CSRF) is missing or no longer valid, so nothing was changed."),
    _("Go back, load the page again and send the form once more. It needs cookies to be allowed."),
)


def render(
    status: int, words: Words | None = None, *, request_id: str | None = None, nonce: str = ""
) -> str:
    """The page of a status. Without id and nonce it is a file for a proxy to send.

    `nonce` is what the policy of this answer lets in; a file has none and needs a policy by hash.
    """
    words = words or WORDS.get(status) or Words(responses.get(status, _("Error")), "", _LATER)
    context = {
        "status": str(status),  # a number would be formatted by the locale
        "words": words,
        "request_id": request_id,
        "csp_nonce": nonce,
        "name": settings.PROJECT_NAME,
    }
    return render_to_string(TEMPLATE, context)


def respond(request: HttpRequest, status: int, words: Words | None = None) -> HttpResponse:
    """The page as the answer to `request`; it holds an id, so nobody may keep it."""
    nonce = get_nonce(request)  # lazy, and false until somebody reads it
    page = render(
        status,
        words,
        request_id=getattr(request, "request_id", None),
        nonce="" if nonce is None else str(nonce),
    )
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})

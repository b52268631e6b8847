"""Every error of the API as `application/problem+json` (RFC 9457), with the request's id.

One shape for a validation error, an unknown path, a wrong method, a missing CSRF token and a bug,
so that a client has one place to look and a person one id to search the logs for. Weighed:
drf-standardized-errors has a shape of its own and sees only errors that reach a view of DRF;
drf-problems is the older RFC 7807, tested with Django 2.2. Neither knows a request id.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest
from django.utils.functional import Promise
from django.utils.log import log_response
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from core.db.outage import RETRY_AFTER, Unavailable, unavailable
from core.problems.exceptions import (
    InvalidParametersError,
    PayloadTooLarge,
    ServiceUnavailable,
)
from core.storage import StorageUnavailableError

CONTENT_TYPE = "application/problem+json"


class FieldError(TypedDict):
    """One thing that is wrong, in the body or in the query string.

    `pointer` is a JSON pointer (RFC 6901) into the body, `parameter` the name of a query parameter.
    """

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    code: str
    detail: str


def problem(
    request: HttpRequest,
    status: int,
    *,
    code: str,
    detail: str | Promise,
    errors: list[FieldError] | None = None,
) -> dict[str, Any]:
    """The body of an error.

    `type` is about:blank, which RFC 9457 defines as "what the status says"; `code` is the member
    that programs compare, and it never changes, while `detail` is for people.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": str(detail),
        "instance": request.path,
        "code": code,
    }
    if request_id := getattr(request, "request_id", None):
        body["request_id"] = request_id
    if errors is not None:
        body["errors"] = errors
    return body


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: any exception of a view as a problem.

    An unforeseen one is logged with its traceback and reported to Django's signal, as Django would
    do, and answered here: in development a client of the API gets the same JSON as in production.
    """
    request = context["request"]._request
    if (answer := unavailable(error)) is not None:
        return _unavailable(answer, request)
    if isinstance(error, Http404):
        error = exceptions.NotFound()  # Django's text names the model
    elif isinstance(error, RequestDataTooBig):
        error = PayloadTooLarge()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    elif isinstance(error, StorageUnavailableError):
        error = ServiceUnavailable()
    elif isinstance(error, BadRequest | SuspiciousOperation):
        error = exceptions.ParseError(_("The request is not valid."))
    if not isinstance(error, exceptions.APIException):
        return _unforeseen(error, request)

    response = drf_exception_handler(error, context)  # keeps Allow, Retry-After, WWW-Authenticate
    assert response is not None  # noqa: S101 - an APIException always has one
    if isinstance(error.detail, str):
        code = error.detail.code or error.default_code
        # DRF's session authentication marks it by its text alone.
        if error.detail.startswith("CSRF Failed"):
            code = "csrf_failed"
        body = problem(request, error.status_code, code=code, detail=str(error.detail))
    else:
        errors = list(_flatten(error.detail, "#"))
        if isinstance(error, InvalidParametersError):
            errors = [_of_parameter(each) for each in errors]
        body = problem(
            request,
            error.status_code,
            code=error.default_code,
            detail=_("The request is not valid; `errors` says where."),
            errors=errors,
        )
    response.data = body
    response.content_type = CONTENT_TYPE
    return response


def _unavailable(answer: Unavailable, request: HttpRequest) -> Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    response = Response(
        problem(request, status, code=answer.code, detail=answer.detail),
        status=status,
        headers={"Retry-After": str(RETRY_AFTER)},
        content_type=CONTENT_TYPE,
    )
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return response


def _unforeseen(error: Exception, request: HttpRequest) -> Response:
    got_request_exception.send(sender=None, request=request)
    response = Response(
        problem(
            request,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            code="error",
            detail=_("The service failed; the request id finds the reason in its logs."),
        ),
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        content_type=CONTENT_TYPE,
    )
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        exception=error,
    )
    return response


def _flatten(detail: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _flatten(inner, pointer if whole else f"{pointer}/{step}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of texts belongs to one field; a list of anything else to one item each.
            deeper = f"{pointer}/{index}" if isinstance(inner, dict | list) else pointer
            yield from _flatten(inner, deeper)
    else:
        yield {"pointer": pointer, "code": detail.code, "detail": str(detail)}


def _of_parameter(error: FieldError) -> FieldError:
    name = error["pointer"].removeprefix("#/").replace("~1", "/").replace("~0", "~")
    return {"parameter": name, "code": error["code"], "detail": error["detail"]}

"""Why a request with a key is refused."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException


class InvalidKey(APIException):
    """The header is no key, or comes with a form that holds files."""

    status_code = HTTPStatus.BAD_REQUEST
    default_detail = _(
        "Idempotency-Key takes 1 to 255 visible ASCII characters, a new UUID for each request, and "
        "no multipart body."
    )
    default_code = "idempotency_key_invalid"


class KeyInUse(APIException):
    """The same request is being answered at this moment."""

    status_code = HTTPStatus.CONFLICT
    default_detail = _("A request with this Idempotency-Key is in progress. Send it again.")
    default_code = "idempotency_key_in_use"
    wait = 1  # seconds, the header Retry-After


class KeyReused(APIException):
    """The key belongs to another request."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = _("This Idempotency-Key was sent with another body: send a new one.")
    default_code = "idempotency_key_reused"

"""Errors that DRF has no class for. Imports nothing of ours: DRF imports our parser early."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ValidationError


class PayloadTooLarge(APIException):
    """The body is longer than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request's body is too large.")
    default_code = "too_large"


class InvalidParametersError(ValidationError):
    """Something is wrong with the query string: a dictionary of parameter names to errors."""

    default_code = "invalid_parameters"


class ServiceUnavailable(APIException):
    """Another system that the request needs does not answer; `wait` seconds is Retry-After."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = _("The service cannot do this at the moment. Try again.")
    default_code = "unavailable"
    wait = 10

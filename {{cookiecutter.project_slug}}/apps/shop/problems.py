"""What the shop's API answers when the state of the shop forbids it."""

from __future__ import annotations

from http import HTTPStatus

from rest_framework.exceptions import APIException


class OutOfStock(APIException):
    """There are fewer pieces than asked for. The same request may succeed later: not a 400."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "There are not enough pieces."
    default_code = "out_of_stock"


class AlreadyReviewed(APIException):
    """One review for each customer and product."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "You have reviewed this product."
    default_code = "already_reviewed"

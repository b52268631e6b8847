"""What comes in."""

from __future__ import annotations

import io
import json
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import outbox
from core.api.parsers import JSONParser
from core.environment.parsers import webhook_secret
from core.executions.once import IdempotentTask
from core.problems.exceptions import PayloadTooLarge
from core.webhooks.signing import BadSignatureError, verify

logger = structlog.get_logger("core.webhooks")

# One statement, for which a second delivery waits until the first has committed.
_ONCE = """
    INSERT INTO core_webhooks_received (source, webhook_id, body) VALUES (%s, %s, %s)
    ON CONFLICT (source, webhook_id) DO NOTHING RETURNING id
"""


class NotSigned(APIException):
    """The signature does not hold."""

    status_code = HTTPStatus.UNAUTHORIZED
    default_detail = _("The webhook's signature or its time does not hold.")
    default_code = "webhook_not_signed"


class WebhookView(APIView):
    """Takes the webhooks of `source`, whose secrets are settings.INBOX_SECRETS[source].

    `task` is an idempotent task that gets the number of a `Received`. 202 when it is sure to run;
    202 as well for a webhook that came before. Raises `NotSigned`, and `ParseError` for a body that
    is no JSON.
    """

    source: ClassVar[str]
    task: ClassVar[IdempotentTask]
    authentication_classes = ()  # the signature is it
    permission_classes = (AllowAny,)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Raises `ImproperlyConfigured` for a source without a good secret: anybody could write."""
        secrets = settings.INBOX_SECRETS.get(cls.source)
        if not secrets:
            raise ImproperlyConfigured(f"INBOX_SECRETS has no secret of {cls.source!r}.")
        for number, secret in enumerate(secrets, start=1):
            try:
                webhook_secret(secret)
            except ValueError as error:
                raise ImproperlyConfigured(
                    f"INBOX_SECRETS[{cls.source!r}], secret {number}: it {error}"
                ) from None
        return super().as_view(**initkwargs)

    @extend_schema(request={"application/json": {}}, responses={202: None})
    def post(self, request: Request) -> Response:
        try:
            # The bytes that were signed, before a parser makes something of them.
            body = request._request.body
        except RequestDataTooBig as error:
            raise PayloadTooLarge from error
        secrets = settings.INBOX_SECRETS[self.source]
        try:
            webhook_id = verify(secrets, request.headers, body)
        except BadSignatureError as error:
            logger.warning("webhook refused", source=self.source, reason=str(error))
            raise NotSigned from error
        self._take(webhook_id, JSONParser().parse(io.BytesIO(body)))
        return Response(status=HTTPStatus.ACCEPTED)

    def _take(self, webhook_id: str, content: Any) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_ONCE, [self.source, webhook_id, json.dumps(content)])
                row = cursor.fetchone()
            if row:
                outbox.send(self.task, row[0])
        logger.info("webhook taken", source=self.source, webhook_id=webhook_id, again=not row)

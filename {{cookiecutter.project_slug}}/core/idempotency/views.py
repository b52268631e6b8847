"""The decorator of API views."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, cast

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.idempotency.models import KEY_LENGTH, Answer
from core.idempotency.problems import InvalidKey, KeyInUse, KeyReused

type Handler[View: APIView, **P] = Callable[Concatenate[View, Request, P], Response]
type Wrapped[View: APIView, **P] = Callable[Concatenate[View, Request, P], HttpResponse]

HEADER = "Idempotency-Key"
# Set on an answer that was given before.
REPLAYED = "Idempotent-Replayed"
# As long as Stripe keeps them: a client that retries for longer has lost its state.
KEPT = timedelta(hours=24)
# Headers of an answer that are the view's own; the others belong to one response.
KEPT_HEADERS = ("Location",)
PATTERN = r"[\x21-\x7e]{1," + str(KEY_LENGTH) + "}"

_DOCUMENTED = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": f"^{PATTERN}$"},
    OpenApiParameter.HEADER,
    description=(
        "A new UUID for each request. The same request sent again within 24 hours has no second "
        f"effect and the same answer, with `{REPLAYED}: true`. 409 while it is in progress, 422 "
        "when the key was sent with another body."
    ),
)


def idempotent[View: APIView, **P](method: Handler[View, P]) -> Wrapped[View, P]:
    """Let clients of an unsafe `method` send Idempotency-Key; without it nothing changes.

    With it the method runs in one transaction, which commits its effect and its answer together.
    An error is not kept: a view that answers 4xx or 5xx with a key has written nothing, whatever it
    wrote, and may be tried again. Everything that must happen once
    has to be in the database by then: a task goes by `core.outbox`.

    Raises `InvalidKey`, `NotAuthenticated` (a key is somebody's), `KeyInUse` (the same request is
    being answered), `KeyReused`; the database's errors are 503, and nothing has happened.
    """

    @wraps(method)
    def answer(view: View, request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = request.headers.get(HEADER)
        if key is None:
            return method(view, request, *args, **kwargs)
        # Of a form with files the bytes are gone once the CSRF check has read it.
        if not re.fullmatch(PATTERN, key) or request.content_type.startswith("multipart/"):
            raise InvalidKey
        asked = _Asked(request, key)
        with transaction.atomic(durable=True):
            asked.lock()
            if before := asked.answered():
                return before
            response = method(view, request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            else:
                asked.keep(view, response)
        return response

    return cast("Wrapped[View, P]", extend_schema(parameters=[_DOCUMENTED])(answer))


class _Asked:
    """A request with a key."""

    def __init__(self, request: Request, key: str) -> None:
        if request.user.pk is None:
            raise NotAuthenticated
        target = request.get_full_path().encode()
        match = request.resolver_match
        assert match is not None  # noqa: S101 - a view has been found
        self._request = request
        self._fingerprint = hashlib.sha256(target + b"\n" + request.body).digest()
        self._of = {
            "user_id": request.user.pk,
            "route": f"{request.method} {match.route}",
            "key": key,
        }

    def lock(self) -> None:
        """Until the transaction ends, without waiting. Raises `KeyInUse`.

        An advisory lock, because a row that is not committed can only be waited for; of the
        transaction, because behind a pooler a session is not ours.
        """
        name = repr(sorted(self._of.items())).encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            if cursor.fetchone() != (True,):
                raise KeyInUse

    def answered(self) -> HttpResponse | None:
        """The answer that was given before. Raises `KeyReused`."""
        # After the lock, in a statement of its own: this one sees what the lock's holder committed.
        known = Answer.objects.filter(**self._of, created_at__gt=Now() - KEPT).first()
        if known is None:
            return None
        if bytes(known.fingerprint) != self._fingerprint:
            raise KeyReused
        headers = {**known.headers, REPLAYED: "true"}
        return HttpResponse(bytes(known.body), status=known.status, headers=headers)

    def keep(self, view: APIView, response: Response) -> None:
        """Write the answer, over one that has expired."""
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        renderer = self._request.accepted_renderer
        body: str | bytes = b""
        if response.data is not None:
            headers["Content-Type"] = renderer.media_type
            body = renderer.render(response.data, renderer.media_type, view.get_renderer_context())
        Answer.objects.bulk_create(
            [
                Answer(
                    **self._of,
                    fingerprint=self._fingerprint,
                    status=response.status_code,
                    headers=headers,
                    body=body,
                )
            ],
            update_conflicts=True,
            unique_fields=list(self._of),
            update_fields=["fingerprint", "status", "headers", "body", "created_at"],
        )

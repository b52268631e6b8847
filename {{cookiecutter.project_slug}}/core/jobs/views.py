"""A job over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import generics, serializers, status
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core import outbox
from core.jobs.models import URL_LENGTH, Job
from core.jobs.states import State
from core.webhooks import sending

if TYPE_CHECKING:
    from core.executions.once import IdempotentTask

# Seconds, the header Retry-After of a job that has not ended.
RETRY_AFTER = 2
_webhook_url = serializers.CharField(
    allow_blank=True, max_length=URL_LENGTH, validators=[URLValidator(schemes=["http", "https"])]
)


class JobSerializer(serializers.ModelSerializer[Job]):
    """`result` is what the job made, null until it has succeeded."""

    state = serializers.ChoiceField(State.choices, source="progress.state", read_only=True)
    ended_at = serializers.DateTimeField(
        source="progress.ended_at", read_only=True, allow_null=True
    )

    class Meta:
        model = Job
        fields = ("id", "state", "result", "created_at", "ended_at")


class JobDetail(generics.RetrieveAPIView[Job]):
    """How far a job of the caller is; another user's is not found."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()  # for the schema

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.filter(owner_id=cast(int, self.request.user.pk))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return _told(JobSerializer(self.get_object()).data, status.HTTP_200_OK)


def accept(
    request: Request, task: IdempotentTask, args: Any, kwargs: Any, webhook_url: str
) -> Response:
    """As `core.jobs.accept`. Raises `NotAuthenticated`: a job is somebody's."""
    if request.user.pk is None:
        raise NotAuthenticated
    try:
        url = _webhook_url.run_validation(webhook_url)
    except ValidationError as error:
        raise ValidationError({"webhook_url": error.detail}) from error
    if url:
        sending.require_secrets()
    with transaction.atomic():
        job = Job.objects.create(
            id=outbox.send(task, *args, **kwargs),
            owner_id=request.user.pk,
            task=task.name,
            webhook_url=url,
        )
    job.refresh_from_db()
    return _told(JobSerializer(job).data, status.HTTP_202_ACCEPTED)


def _told(job: dict[str, Any], code: int) -> Response:
    headers = {"Location": reverse("job", args=[job["id"]])}
    if job["state"] in (State.PENDING, State.RUNNING):
        headers["Retry-After"] = str(RETRY_AFTER)
    return Response(job, status=code, headers=headers)

"""A job and a webhook's receiver, beside the service's own URLs."""

from __future__ import annotations

import time

import structlog
from celery import shared_task
from django.contrib.auth.models import Group
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns
from core import jobs
from core.executions.once import IdempotentTask, effect
from core.webhooks.models import Received
from core.webhooks.receiving import WebhookView

__all__ = ["handler400", "handler403", "handler404", "handler500"]

logger = structlog.get_logger("testapp")


@shared_task(base=IdempotentTask)
def make_group(name: str, seconds: float = 0.0) -> None:
    logger.info("making")
    time.sleep(seconds)
    if name == "bad":
        raise ValueError(name)
    with effect():
        Group.objects.create(name=name)
        jobs.finish({"groups": Group.objects.filter(name=name).count()})


@shared_task(base=IdempotentTask)
def make_nothing() -> None:
    pass


@shared_task(base=IdempotentTask, soft_time_limit=1, time_limit=2)
def outlast_limits() -> None:
    for _ in range(30):
        try:
            time.sleep(1)
        except BaseException:
            logger.info("limit ignored")


@shared_task(base=IdempotentTask)
def take(number: int) -> None:
    with effect():
        Group.objects.create(name=Received.objects.get(pk=number).body["name"])


class Groups(APIView):
    def post(self, request: Request) -> Response:
        body = request.data
        url, seconds = body.get("webhook_url", ""), body.get("seconds", 0)
        return jobs.accept(request, make_group, body["name"], seconds, webhook_url=url)


class Hook(WebhookView):
    source = "partner"
    task = take


urlpatterns = [path("api/test/jobs/", Groups.as_view()), *service_urlpatterns]

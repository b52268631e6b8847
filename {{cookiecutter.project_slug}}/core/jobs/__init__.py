"""Long work over the API: 202 and an address where the client sees how far it is.

    class Exports(APIView):
        queue = "low"  # 429 when it is too deep (core/admission/)

        def post(self, request: Request) -> Response:
            return jobs.accept(request, export_orders, request.user.pk)

    @shared_task(base=IdempotentTask, queue="low")
    def export_orders(user_id: int) -> None:
        link = ...  # slow
        with effect():
            jobs.finish({"link": link})

The job's row and its message commit together, and its result with its effect. What a job does is
read from the lease of its run (`core/executions/`), so a worker that dies leaves no job that
"runs" for ever. To lift it out: this folder, `core/outbox/`, `core/executions/`, the line in
`config/urls.py` and in the schedule.

Weighed: django-celery-results stores every task's result beside its effect and belongs to nobody;
Django's own tasks (6.0) have no worker that outlives a broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

    from core.executions.once import IdempotentTask


def accept(
    request: Request, task: IdempotentTask, *args: Any, webhook_url: str = "", **kwargs: Any
) -> Response:
    """202 with `Location`, once `task` is sure to run with these arguments; the caller's alone.

    With `webhook_url` a signed message goes there when the job has ended (`core/webhooks/`).
    Raises `ValidationError` (400) for one that is no URL, `ImproperlyConfigured` for one without
    WEBHOOK_SECRETS, and what `outbox.send` does.
    """
    from core.jobs import views  # models, which need a Django that is set up

    return views.accept(request, task, args, kwargs, webhook_url)


def finish(result: dict[str, Any]) -> None:
    """The result of the job that this task is; inside of `with effect():`. JSON alone fits.

    Does nothing for a task that is no job, so that one function serves both.
    """
    from core.jobs import running

    running.finish(result)

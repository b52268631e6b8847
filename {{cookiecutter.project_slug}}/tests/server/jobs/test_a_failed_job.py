"""Who waits for a job is told of its failure once."""

from __future__ import annotations

from uuid import uuid4

from tests.server.outbox.conftest import Ask, StartWorker
from tests.testapp import jobs

SECRET = {"WEBHOOK_SECRETS": "whsec_" + "a" * 32}
# As core.jobs.accept writes it; the message goes straight to the queue, so no relay takes the news.
JOB = (
    "INSERT INTO core_jobs_job (id, owner_id, task, webhook_url) "
    "VALUES (%s, 1, 'outlast_limits', 'https://customer.example/hook')"
)
NEWS = "SELECT count(*) FROM core_outbox_message WHERE body LIKE %s AND body LIKE '%%job.ended%%'"


def test_one_that_ignores_its_limits_is_told_of_once(start_worker: StartWorker, ask: Ask) -> None:
    job = uuid4()
    ask(JOB, job)
    with start_worker(include=jobs.__name__, env=SECRET) as worker:
        jobs.outlast_limits.apply_async(task_id=str(job))
        worker.wait_for_line("dead letter")
        jobs.make_group.apply_async((job.hex,))
        worker.wait_for_line("making")
    assert ask(NEWS, f"%{job}%") == [(1,)]

"""How the operation of jobs succeeds."""

from __future__ import annotations

from uuid import uuid4

from core.jobs.models import Job
from tests.contract.scenario import Scenario


def add(scenario: Scenario) -> None:
    job = Job.objects.create(id=uuid4(), owner_id=scenario.user.pk, task="t")
    scenario.example("jobs_retrieve", path_parameters={"id": str(job.pk)})

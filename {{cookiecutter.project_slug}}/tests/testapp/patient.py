"""`tests.testapp.waiting` with the deadline of production: other timeouts come first."""

# isort: off
from tests.testapp.waiting import application

# isort: on
from django.conf import settings

from config.settings.components.deadline import DEADLINE_SECONDS

__all__ = ["application"]

settings.DEADLINE_SECONDS = DEADLINE_SECONDS

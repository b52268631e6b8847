"""The web process with the views of jobs.py.

start_role("web", "tests.testapp.jobs_web:application")
"""

from django.conf import settings

from config.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "tests.testapp.jobs"

"""The web process with the view of idempotent.py.

start_role("web", "tests.testapp.idempotent_web:application")
"""

from django.conf import settings

from config.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "tests.testapp.idempotent"

"""The web process without API_RATES, for a test that calls oftener than one client may.

start_role("web", "tests.testapp.unthrottled:application")
"""

from django.conf import settings

from config.wsgi import application

__all__ = ["application"]

settings.API_RATES = {}

"""The web process with the views of edge.py.

start_role("web", "tests.testapp.edge_web:application")
"""

from django.conf import settings

from config.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "tests.testapp.edge"

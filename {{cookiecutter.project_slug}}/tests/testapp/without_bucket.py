"""`unthrottled`, whose uploads go to MEDIA_FOLDER: for a machine without an S3 server."""

import os

from django.conf import settings

from tests.testapp.unthrottled import application

__all__ = ["application"]

# In place: Django may have read the setting.
settings.STORAGES["default"].update(
    BACKEND="core.storage.local.LocalStorage", OPTIONS={"location": os.environ["MEDIA_FOLDER"]}
)

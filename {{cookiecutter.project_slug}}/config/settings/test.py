"""Tests: the real database, cache and broker, started by `tests/conftest.py`."""

from config.settings.base import *

# Argon2 costs a tenth of a second on purpose; no test is about that cost.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A test of rates sets its own.
API_RATES = {}
# Tasks run in the caller, their arguments through the serializer all the same.
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    # The manifest exists after collectstatic only.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

# Tests of the admin log in by force_login; those of the second factor turn it on.
ADMIN_SECOND_FACTOR = False

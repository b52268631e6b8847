"""Tests: the real database, cache and broker, started by `tests/conftest.py`."""

from config.settings.base import *

# Argon2 costs a tenth of a second on purpose; no test is about that cost.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A test of rates, or of queues, sets its own.
API_RATES = {}
TASKS_QUEUE_BOUNDS = {}
# Tasks run in the caller, their arguments through the serializer all the same.
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    # The manifest exists after collectstatic only.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

OUTBOUND_STRICT = True
# The receivers of tests are on this machine.
WEBHOOKS_TO_PUBLIC_ADDRESSES_ALONE = False
WEBHOOK_SECRETS = ["whsec_" + "a" * 32]

# Tests of the admin log in by force_login; those of the second factor turn it on.
ADMIN_SECOND_FACTOR = False

# An N+1 in any request of a test is an error that names its line: outermost, so that it sees the
# other middlewares' queries too. A development dependency, which no other environment may know.
INSTALLED_APPS = [*INSTALLED_APPS, "zeal"]
MIDDLEWARE = ["zeal.middleware.zeal_middleware", *MIDDLEWARE]
# Only what is no N+1, with the reason: zeal counts from the second query of a line.
# Django looks for a content type, and once more before it makes the one that a flush took away.
ZEAL_ALLOWLIST: list[dict[str, str]] = [{"model": "contenttypes.ContentType", "field": "get()"}]
# A transfer has two locations, each looked up by its own field. # example:shop
ZEAL_ALLOWLIST += [{"model": "shop.Location", "field": "get()"}]  # example:shop

"""Development: readable lines, tracebacks in the browser, the tasks of a real worker."""

from config.env import BASE_DIR, env
from config.settings.base import *

# A browser keeps one cookie jar for all of localhost, whatever the port: two services in
# development would log each other out under Django's default names.
SESSION_COOKIE_NAME = "session-" + SERVICE_NAME
CSRF_COOKIE_NAME = "csrf-" + SERVICE_NAME

# Where the page at `/` asks how many web workers there are.
METRICS_PORT = env.METRICS_PORT

# Seconds: a day, because a request that stands at a breakpoint is not late.
DEADLINE_SECONDS = 86_400

OUTBOUND_STRICT = True

# Static files are found beside their source, changed ones too: nothing is collected here.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

# The demo login enters the admin with its password alone.
ADMIN_SECOND_FACTOR = False

if env.S3_BUCKET is None:
    STORAGES["default"] = {
        "BACKEND": "core.storage.local.LocalStorage",
        "OPTIONS": {"location": BASE_DIR / ".data" / "media"},
    }

"""What every environment shares: the list of apps, the order of middleware, the components.

Reads no variable itself; each component does. An environment imports this module with `*` and
changes as little as it can: staging and production differ by variables alone.
"""

from config.env import BASE_DIR, env
from config.settings.components.accounts import *
from config.settings.components.api import *
from config.settings.components.cache import *
from config.settings.components.database import *
from config.settings.components.deadline import *
from config.settings.components.edge import *
from config.settings.components.email import *
from config.settings.components.identity import *
from config.settings.components.languages import *
from config.settings.components.logs import *
from config.settings.components.outbound import *
from config.settings.components.pages import *
from config.settings.components.privacy import *
from config.settings.components.security import *
from config.settings.components.sessions import *
from config.settings.components.static import *
from config.settings.components.storage import *
from config.settings.components.tasks import *
from config.settings.components.webhooks import *

DEBUG = env.DEBUG
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "apps.users.admin_apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "core.anonymise",
    "core.beat",
    "core.deadletters",
    "core.executions",
    "core.idempotency",
    "core.jobs",
    "core.lockout",
    "core.migrate",
    "core.outbox",
    "core.pages",
    "core.privacy",
    "core.storage",
    "core.tasks",
    "core.webhooks",
    "apps.users",
    "apps.api_keys",
    "apps.home",
    "apps.shop",  # example:shop
]

MIDDLEWARE = [
    # First: the request id must be in every line, the refusals of the others included.
    "core.requests.middleware.RequestMiddleware",
    # The clock starts before anything that can wait.
    "core.deadline.middleware.DeadlineMiddleware",
    # Around all that can answer or set a cookie, so that no answer is kept by accident.
    "core.caching.middleware.CachingMiddleware",
    # Before anything that can answer, so that every answer carries its headers.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    # After the policy, whose nonce the page carries, and around everything that may answer empty.
    "core.pages.middleware.ErrorPageMiddleware",
    "core.pages.middleware.SearchEnginesMiddleware",
    # Before sessions: a static file must not touch the database or the cache.
    "core.static.middleware.StaticFilesMiddleware",
    # After static files, which have no language; before whatever answers in words.
    *LOCALE_MIDDLEWARE,
    # Before the URL is looked at: the admin does not exist on a public host.
    "core.requests.hosts.AdminHostMiddleware",
    # Before a query or the session's key can carry a NUL to PostgreSQL, which is a 500.
    "core.api.nul.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # After sessions, which it reads, and whose cached copies it does not believe blindly.
    "core.sessions.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # allauth refuses to start without it, though nothing of ours asks it: 4 µs of a request, 30 µs
    # of a 404, under WSGI and ASGI alike (it is both).
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csp",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

TIME_ZONE = "UTC"
USE_TZ = True

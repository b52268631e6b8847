"""The REST API.

Decides: who may call and how often, what an error looks like, what the schema says. Reads nothing.
Without it Django REST framework answers anybody, in two formats, with errors in a third. To lift it
out: take `core/api/`, `core/lists/` and `core/problems/`.
"""

from config.settings.components.identity import PROJECT_DESCRIPTION, PROJECT_NAME

REST_FRAMEWORK = {
    # The first one says what a missing credential is answered with: 401 and WWW-Authenticate.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api_keys.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Closed unless a view opens itself.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": [
        "core.api.throttles.RateThrottle",
        "core.admission.throttle.QueueThrottle",
    ],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "core.lists.pagination.KeysetPagination",
    # Refuses what a view does not know: a misspelt filter must not answer with everything.
    "DEFAULT_FILTER_BACKENDS": ["core.lists.parameters.AllowedParameters"],
    # One format: `?format=` would turn a misspelt parameter into a 404.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "core.lists.schema.Schema",
    "EXCEPTION_HANDLER": "core.problems.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# Calls a minute, which may come at once; None for no limit. An address may be an office, so it has
# as much as one of its people; a key is a program, which a person does not outrun.
API_RATES: dict[str, int | None] = {"anonymous": 300, "user": 300, "key": 600}

SPECTACULAR_SETTINGS = {
    "TITLE": PROJECT_NAME,
    "DESCRIPTION": PROJECT_DESCRIPTION,
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    # A client sends what it may write, and reads the rest: two schemas.
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.problems.schema.document_problems",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # Assets come from our own static files: no page of ours loads a script of another host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Errors that Django raises before a view of DRF is reached; the others stand in `config/urls.py`.
CSRF_FAILURE_VIEW = "core.problems.handlers.csrf_failure"

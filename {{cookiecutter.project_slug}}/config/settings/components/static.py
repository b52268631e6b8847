"""Static files, served by the service itself with a name that changes with the content.

Decides: where collected files stand and how they are served. Reads nothing. Without the hash in
the name a browser shows last release's script against this release's page. To lift it out:
WhiteNoise, `core/static/` and this file.
"""

from typing import Any

from config.env import BASE_DIR

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES: dict[str, dict[str, Any]] = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Files are looked up once, at the start; development and tests, which collect none, look them up
# beside their source.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = False

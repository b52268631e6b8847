"""Static files, served by the service itself with a name that changes with the content.

Decides: where collected files stand and how they are served. Reads nothing. Without the hash in
the name a browser shows last release's script against this release's page. To lift it out:
WhiteNoise, `core/static/` and this file.
"""

from typing import Any

from whitenoise.compress import Compressor

from config.env import BASE_DIR

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES: dict[str, dict[str, Any]] = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# No copy without a hash, which nothing names; source maps, which only developers' tools read, stay
# as they are. Otherwise collecting takes 3.5 times as long, nearly all of it Brotli's.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
# Files are looked up once, at the start; development and tests, which collect none, look them up
# beside their source.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = False

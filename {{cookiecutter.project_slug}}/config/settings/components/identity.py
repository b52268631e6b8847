"""Who the service is.

Decides: its name for machines and for people, and what /__version__ answers. Reads SERVICE_NAME,
RELEASE, `config/identity.toml` and, in an image, `version.json`. Without it logs and cache keys of
two services mix. To lift it out: replace the file by constants.
"""

import json
import tomllib

from config.env import BASE_DIR, env

_identity = tomllib.loads((BASE_DIR / "config" / "identity.toml").read_text(encoding="utf-8"))

SERVICE_NAME = env.SERVICE_NAME
RELEASE = env.RELEASE
# Written into an image by scripts/version_file.py.
_built = BASE_DIR / "version.json"
VERSION: dict[str, str] = (
    json.loads(_built.read_text(encoding="utf-8"))
    if _built.exists()
    else {"source": "", "version": RELEASE, "commit": RELEASE, "build": ""}
)
# development, test, staging or production
ENVIRONMENT = env.DJANGO_SETTINGS_MODULE.rpartition(".")[2]
PROJECT_NAME: str = _identity["name"]
PROJECT_DESCRIPTION: str = _identity["description"]

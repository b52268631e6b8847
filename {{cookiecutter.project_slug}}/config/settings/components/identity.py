"""Who the service is.

Decides: its name for machines and for people. Reads SERVICE_NAME, RELEASE and
`config/identity.toml`. Without it logs and cache keys of two services mix. To lift it out:
replace the file by two constants.
"""

import tomllib

from config.env import BASE_DIR, env

_identity = tomllib.loads((BASE_DIR / "config" / "identity.toml").read_text(encoding="utf-8"))

SERVICE_NAME = env.SERVICE_NAME
RELEASE = env.RELEASE
# development, test, staging or production
ENVIRONMENT = env.DJANGO_SETTINGS_MODULE.rpartition(".")[2]
PROJECT_NAME: str = _identity["name"]
PROJECT_DESCRIPTION: str = _identity["description"]

"""`drills.app.web` with Django's own RedisCache as its tutorial has it, and sessions in it."""

from django.conf import settings

settings.CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": settings.CACHES["default"]["LOCATION"],
    }
}
settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"

from drills.app.web import application  # noqa: E402 - after the settings were changed

__all__ = ["application"]

"""Sessions in PostgreSQL, read through the cache.

Decides: a flushed or dead cache logs nobody out, and a warm one saves the query. Reads nothing.
Sessions in the cache alone are lost with it; in the database alone they are its hottest table.
To lift it out: copy it beside a cache that fails open.
"""

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "default"
# Seconds: two weeks, Django's default, written down because the clean-up depends on it.
SESSION_COOKIE_AGE = 1_209_600

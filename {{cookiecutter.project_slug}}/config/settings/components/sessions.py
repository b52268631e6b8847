"""Sessions in PostgreSQL, read through the cache.

Decides: a flushed or dead cache logs nobody out, a warm one saves the query, and a logout holds
whatever the cache still says. Reads nothing. Sessions in the cache alone are lost with it; in the
database alone they are its hottest table. To lift it out: take `core/sessions/`; its three parts
(engine, middleware, the user's column) belong together.
"""

SESSION_ENGINE = "core.sessions.cached_db"
SESSION_CACHE_ALIAS = "default"
# Seconds: two weeks, Django's default, written down because the clean-up depends on it.
SESSION_COOKIE_AGE = 1_209_600

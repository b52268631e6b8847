"""Production: HTTPS and its cookies, which no variable can change.

TLS ends at the proxy; gunicorn and uvicorn believe its X-Forwarded-Proto from FORWARDED_ALLOW_IPS
only and set the scheme themselves, so Django needs no SECURE_PROXY_SSL_HEADER that a client
could forge.
"""

from config.settings.base import *

DEBUG = False
INDEXED = True

SECURE_SSL_REDIRECT = True
# One year in seconds: what browsers' preload lists and ASVS 5.0 3.4.1 ask for.
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# The prefix makes browsers refuse a cookie of this name that another host of the domain set.
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"

# Preloading binds every host of the domain, for years: its owner decides, not this service.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

"""Keys, hosts, cookies and headers.

Decides: who may call us by which name, and what browsers may do with our pages. Reads SECRET_KEY,
SECRET_KEY_FALLBACKS, ALLOWED_HOSTS, ADMIN_HOST, CSRF_TRUSTED_ORIGINS, FORWARDED_ALLOW_IPS, and for
the CSP S3_BUCKET, S3_ENDPOINT_URL, S3_MEDIA_DOMAIN. Without it Django's defaults send cookies over
plain HTTP. HTTPS itself is constant in `production.py`. To lift it out: copy it with that.
"""

from django.utils.csp import CSP

from config.env import env

SECRET_KEY = env.SECRET_KEY
SECRET_KEY_FALLBACKS = env.SECRET_KEY_FALLBACKS
ADMIN_HOST = env.ADMIN_HOST
ALLOWED_HOSTS = [*env.ALLOWED_HOSTS, *([ADMIN_HOST] if ADMIN_HOST else [])]
# core/requests/address.py reads the client's address behind these.
FORWARDED_ALLOW_IPS = env.FORWARDED_ALLOW_IPS
CSRF_TRUSTED_ORIGINS = env.CSRF_TRUSTED_ORIGINS

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Where pages may load uploaded pictures from: our bucket, as others have theirs on the same host.
_MEDIA = f"https://{env.S3_MEDIA_DOMAIN}" if env.S3_MEDIA_DOMAIN else env.S3_ENDPOINT_URL
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", *([f"{_MEDIA}/{env.S3_BUCKET}/"] if env.S3_BUCKET else [])],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

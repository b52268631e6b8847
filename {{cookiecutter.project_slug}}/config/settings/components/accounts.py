"""Accounts: who logs in how, and what mails link to.

Decides: how passwords are kept and refused, how long a reset key lasts, whether the admin asks for
a second factor. Reads ALLOWED_HOSTS and PORT. Without it Django hashes with 100 MiB a login and
lets everybody guess for ever. To lift it out: take `apps/users/` and `core/lockout/`.
"""

from config.env import DEPLOYED, env
from config.settings.components.identity import PROJECT_NAME

AUTH_USER_MODEL = "users.User"
# Counts attempts; one more backend beside it would be a way round.
AUTHENTICATION_BACKENDS = ["apps.users.backends.Backend"]
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "apps.users.hashers.Argon2PasswordHasher",
    # Reads what an older Django wrote; Django re-hashes at the next login.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _VALIDATION + "UserAttributeSimilarityValidator"},
    # Characters; OWASP ASVS 5.0 6.2.1 demands 8 and recommends 15 where no second factor exists.
    {"NAME": _VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": _VALIDATION + "CommonPasswordValidator"},
]
# Seconds: an hour. Django's three days leave a key to the account in a mailbox over a weekend.
PASSWORD_RESET_TIMEOUT = 3600
# Staff reach the admin with a second factor only. Off in development, where nothing is worth one.
ADMIN_SECOND_FACTOR = True
_DEPLOYED = env.DJANGO_SETTINGS_MODULE.rpartition(".")[2] in DEPLOYED
# What mailed links begin with: the first host of ours, never the one that a request names.
_HOST = env.ALLOWED_HOSTS[0].removeprefix(".")
ACCOUNT_ORIGIN = f"https://{_HOST}" if _DEPLOYED else f"http://{_HOST}:{env.PORT}"

# allauth: the tables of addresses and of second factors. Its own views are not mounted.
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# They count in the cache, which fails; apps/users/guards.py counts in PostgreSQL.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "apps.users.second_factor.Adapter"
MFA_TOTP_ISSUER = PROJECT_NAME
# Steps of 30 s before and after the present one, for clocks that differ (RFC 6238, 5.2).
MFA_TOTP_TOLERANCE = 1

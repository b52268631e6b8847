"""Mail.

Decides: how mail leaves, to whom outside production, and its sender. Reads EMAIL_URL,
EMAIL_ALLOWED_DOMAINS and DEFAULT_FROM_EMAIL. Without it Django sends to port 25 of its own host and
waits for ever, and a copy of production writes to its customers. To lift it out: take `core/mail/`
and `core/environment/mailers.py`. No EMAIL_* setting may stand beside MAILERS.
"""

from config.env import env
from core.mail.guard import guarded

MAILERS = {"default": env.EMAIL_URL}
# By the one name that is production, not by those that are not: a new environment is guarded. What
# has no options (the console, memory) sends nothing.
if env.DJANGO_SETTINGS_MODULE != "config.settings.production" and "OPTIONS" in env.EMAIL_URL:
    MAILERS = {"default": guarded(env.EMAIL_URL, env.EMAIL_ALLOWED_DOMAINS)}
DEFAULT_FROM_EMAIL = env.DEFAULT_FROM_EMAIL
SERVER_EMAIL = env.DEFAULT_FROM_EMAIL

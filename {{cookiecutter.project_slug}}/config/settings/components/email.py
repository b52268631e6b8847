"""Mail.

Decides: how mail leaves, and its sender. Reads EMAIL_URL and DEFAULT_FROM_EMAIL. Without it
Django sends to port 25 of its own host and waits for ever. To lift it out: take
`core/environment/mailers.py`. No EMAIL_* setting may stand beside MAILERS.
"""

from config.env import env

MAILERS = {"default": env.EMAIL_URL}
DEFAULT_FROM_EMAIL = env.DEFAULT_FROM_EMAIL
SERVER_EMAIL = env.DEFAULT_FROM_EMAIL

"""What surrounds every request: its id, its one log line, the client's address, the admin's host.

To lift it out: copy this folder, put `RequestMiddleware` first in MIDDLEWARE, and set
FORWARDED_ALLOW_IPS to the proxies' addresses.
"""

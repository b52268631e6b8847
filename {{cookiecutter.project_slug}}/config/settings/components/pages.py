"""Errors for people, robots.txt, security.txt.

Decides: whether search engines are welcome, and whom a finder of a hole writes to. Reads
SECURITY_CONTACT. Without it a staging site turns up in search results, and a report reaches nobody.
To lift it out: take `core/pages/` and `config/templates/{page,error}.html`.
"""

from config.env import env

# True in production alone; core/pages/middleware.py keeps the admin's host out everywhere.
INDEXED = False
SECURITY_CONTACT = env.SECURITY_CONTACT

"""The cache in front, whose copies go when what they show has changed.

Decides: where a purge is sent, and whose pages it names. Reads EDGE_PURGE_URL, EDGE_PURGE_TOKEN and
ALLOWED_HOSTS. Without it a change is seen when its copy is too old. To lift it out: take
`core/edge/`.
"""

from config.env import env

# Each of them; empty is off.
EDGE_PURGE_URL = env.EDGE_PURGE_URL
EDGE_PURGE_TOKEN = env.EDGE_PURGE_TOKEN
# Other names are redirected to the first one, as in mailed links.
EDGE_HOST = env.ALLOWED_HOSTS[0].removeprefix(".")

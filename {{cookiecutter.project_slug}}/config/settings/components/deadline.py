"""How long a request may take, and a stream.

Decides: when a request is given up, when a stream ends. Reads nothing. Without it ten slow queries
hold a thread for a minute, and a forgotten stream holds its place for ever. To lift it out: take
`core/deadline/`, `core/db/` (ENGINE "core.db") and `core/server/stalls.py`.
"""

# Seconds for a request. Above the database's worst wait (3 in the pooler's queue, then 7), with the
# second that a rollback gets below gunicorn's 30 and the proxy's 35.
DEADLINE_SECONDS = 25
# Seconds in which a stream must send something, or its proxy, which gives up after 35, would end it
# without a word in our logs. A stream with nothing to say sends a comment every 15.
STREAM_IDLE_SECONDS = 30
# Seconds of a whole stream: it then connects again, to a newer release or a less busy process.
STREAM_SECONDS = 600

"""Calls to other systems.

Decides: what a call inside of a transaction is. Reads nothing. Without it such a call holds its
locks for as long as the other side takes, and nobody is told. To lift it out: take
`core/outbound/`.
"""

# An error in the log; development and tests raise.
OUTBOUND_STRICT = False

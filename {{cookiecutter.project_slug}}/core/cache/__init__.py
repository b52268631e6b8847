"""The cache: every write ends, and an outage is a miss."""

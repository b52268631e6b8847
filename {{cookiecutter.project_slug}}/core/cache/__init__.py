"""The cache: every write ends, an outage is a miss, and a breaker makes it a cheap one."""

"""Limits on guessing, counted in PostgreSQL: they hold while the cache is away.

To lift it out: copy this folder, add `core.lockout` to INSTALLED_APPS and its task to the schedule.
"""

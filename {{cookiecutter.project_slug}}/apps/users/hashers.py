"""Argon2id at the cost that a web worker can bear."""

from django.contrib.auth import hashers


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet.

    Django's default takes 100 MiB a login, times every request thread.
    """

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1

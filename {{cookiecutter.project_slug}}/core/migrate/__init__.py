"""Migrations beside a service in use: one run at a time, which gives way and tries again.

`manage.py migrate` is Django's with four things around it: an advisory lock, retries of what a lock
refused, a rerun that finishes what a killed one left behind, and an exit code by which a release
tells "later" (75) from "broken". To lift it out: this folder, and a role with a `lock_timeout`
(deploy/postgres/roles.sql).

Weighed: django-pg-zero-downtime-migrations is a database backend on Django's private schema editor;
django-pglock takes the lock and does not try again; django-safemigrate orders migrations around a
release, which here is what `Expand:` and `Contract:` say.
"""

"""`make lint-migrations`: refuse migrations that stop a service in use, or break its old code.

Every migration runs once, on an empty database. That gives the statements that really run, also
where Django looks at the database first (a dropped constraint), which `sqlmigrate` cannot see; and
PostgreSQL tells whether a change rewrote a table. squawk judges the statements, `operations` what
no statement shows, and `rules` says for each refusal what is safe.

Weighed: django-migration-linter (misses foreign keys, their indexes, checks and dropped defaults),
django-pg-zero-downtime-migrations (a database backend on top of Django's private schema editor).
To lift it out: this folder, docs/operations/migrations.md and squawk-cli.
"""

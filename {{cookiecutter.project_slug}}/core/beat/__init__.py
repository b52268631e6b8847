"""celery beat without a disk and without a single point: a lease and the last ticks in PostgreSQL.

The schedule itself is code: `CELERY_BEAT_SCHEDULE` in `config/settings/components/tasks.py`. To
lift it out: copy this folder, name `core.beat` in INSTALLED_APPS and the scheduler in
`CELERY_BEAT_SCHEDULER`.
"""

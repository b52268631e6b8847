"""Messages that failed for good: kept where an operator sees them, and can send them again.

Every task that is out of retries, a name that no worker knows, a body that is no message. Celery
logs these and throws them away. Seen in the admin and by `manage.py deadletter`. To lift it out:
this folder, and `CELERY_WORKER_CONSUMER` of `config/settings/components/tasks.py`.

Weighed: a RabbitMQ dead-letter exchange has no counterpart in Redis and no list for people;
django-celery-results keeps a row for every task that succeeds as well.
"""

"""Background tasks.

Decides: queues, limits, delivery and the schedule. Reads BROKER_URL and THREADS. Without it a
worker that is killed loses its task, and one slow kind of task delays all others. To lift it out:
take `core/tasks/`, `core/beat/` and `config/celery.py`.
"""

from typing import Any

from celery.schedules import crontab
from kombu import Exchange, Queue

from config.env import env

# Imported when Django starts, so that `@shared_task` finds the broker in web processes as well.
TASKS_APP = "config.celery.app"
CELERY_BROKER_URL = env.BROKER_URL
ON_RABBITMQ = env.BROKER_URL.startswith("amqp")
# kombu takes any certificate of a rediss:// server, unless it is told; it checks amqps:// itself.
CELERY_BROKER_USE_SSL = env.BROKER_URL.startswith("rediss:") and {"ssl_cert_reqs": "required"}
CELERY_BROKER_POOL_LIMIT = max(10, env.THREADS)  # producers: no request thread waits for another's
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Seconds until the broker hands out again what a lost worker held; above the longest wait
    # for a retry (600) and the hard limit together, or waiting tasks would run twice.
    "visibility_timeout": 900,
    # Seconds, above the BRPOP of 1 s; kombu's default waits for ever on a frozen broker.
    # Requests have shorter ones (core/tasks/publishing.py).
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "health_check_interval": 10,  # seconds; in twice this a worker notices a host that vanished
    # A worker of several queues empties them in the order of `--queues`.
    "queue_order_strategy": "priority",
    # RabbitMQ alone reads these: a publish that it refuses is an error, not a silence.
    "confirm_publish": True,
    "read_timeout": 5,
    "write_timeout": 5,
}
# Seconds, of RabbitMQ: in twice this each side notices that the other vanished.
CELERY_BROKER_HEARTBEAT = 10
# For ever: a worker that gives up after Celery's 100 attempts is missing when the broker returns.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that refuses is one that is away: a worker would end for good while the disk is full
# (MISCONF), memory is (OOM), or a replica has not become the primary yet (READONLY).
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# RabbitMQ keeps three copies of a quorum queue and loses none with a node. Such a queue has no
# limit for all of its consumers, so a task that waits for its retry would hold a place of the
# worker: Celery lets the broker wait instead, by queues of its own, behind a topic exchange alone.
_RABBITMQ: dict[str, Any] = {
    "exchange": Exchange("tasks", type="topic"),
    "queue_arguments": {"x-queue-type": "quorum"},
}
CELERY_TASK_QUEUES = [
    Queue(name, routing_key=name, **(_RABBITMQ if ON_RABBITMQ else {}))
    for name in ("high", "default", "low")
]
CELERY_TASK_DEFAULT_QUEUE, CELERY_TASK_ROUTES = "default", ["core.tasks.base:route"]
# Messages that a queue may hold until views that fill it answer 429 (core/admission/). As many as
# are worth waiting for: at 20 a second these take eight minutes.
TASKS_QUEUE_BOUNDS = {"low": 10_000}
# A misspelt queue is an error at once, not a queue that nobody empties.
CELERY_TASK_CREATE_MISSING_QUEUES = False
# Seconds until SoftTimeLimitExceeded is raised, and until the process is killed.
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 120, 150
# Acknowledged when done, and not taken ahead of time: what a dead worker held is run by another.
CELERY_TASK_ACKS_LATE = CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_PUBLISH_RETRY = False  # a request must not wait (core/tasks/publishing.py)
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
# What cannot be run is kept in a table.
CELERY_WORKER_CONSUMER = "core.deadletters.consumer:Consumer"
CELERY_WORKER_CONCURRENCY = "auto"  # the container's CPU quota, not the machine's CPUs
# Seconds that a stopping worker gives its tasks; with slack below the 50 s of Kubernetes.
TASKS_SHUTDOWN_SECONDS = 30
# Tasks. As good as never: CONN_MAX_AGE decides when a connection ends (core/tasks/worker.py).
CELERY_DB_REUSE_MAX = 1_000_000_000
CELERY_TIMEZONE = "UTC"
CELERY_IMPORTS = [
    "core.edge.tasks",
    "core.lockout.tasks",
    "core.executions.tasks",
    "core.idempotency.tasks",
    "core.jobs.tasks",
    "core.sessions.tasks",
    "core.storage.tasks",
    "core.webhooks.tasks",
]
CELERY_BEAT_SCHEDULER = "core.beat.scheduler:LeaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "clear-expired-sessions": {
        "task": "core.sessions.tasks.clear_expired_sessions",
        "schedule": crontab(hour="3", minute="40"),
    },
    "clear-expired-counters": {
        "task": "core.lockout.tasks.clear_expired_counters",
        "schedule": crontab(hour="3", minute="50"),
    },
    "clear-old-executions": {
        "task": "core.executions.tasks.clear_old_executions",
        "schedule": crontab(hour="4", minute="0"),
    },
    "clear-old-answers": {
        "task": "core.idempotency.tasks.clear_old_answers",
        "schedule": crontab(hour="4", minute="10"),
    },
    "clear-old-jobs": {
        "task": "core.jobs.tasks.clear_old_jobs",
        "schedule": crontab(hour="4", minute="30"),
    },
    "clear-old-webhooks": {
        "task": "core.webhooks.tasks.clear_old_webhooks",
        "schedule": crontab(hour="4", minute="40"),
    },
    "reconcile-ratings": {  # example:shop
        "task": "apps.shop.tasks.reconcile_ratings",  # example:shop
        "schedule": crontab(hour="4", minute="20"),  # example:shop
    },  # example:shop
    "render-pending-images": {  # example:shop
        "task": "apps.shop.tasks.render_pending_images",  # example:shop
        "schedule": crontab(minute="*/10"),  # example:shop
    },  # example:shop
}

"""Background tasks on Celery: published on commit, within a bound, and run until they are done.

Apps write `@shared_task(queue="high")` and call `task.delay(...)`; `base.Task` says what is
promised. `publishing` bounds what a broker may cost, `worker` is how a worker stops and keeps its
connections, `logs` are the lines. To lift it out: copy this folder, `config/celery.py` and
`config/settings/components/tasks.py`.
"""

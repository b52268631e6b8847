"""Admission control: who makes work for a queue that is too deep is asked to come back later.

    class Exports(APIView):
        queue = "low"  # of the tasks that its unsafe methods send

Past its bound (settings.TASKS_QUEUE_BOUNDS) such a view answers 429 with Retry-After: work that
would wait for an hour is better not accepted, and a queue without a bound ends at the broker's
memory. To lift it out: this folder, its line in DEFAULT_THROTTLE_CLASSES,
`core/tasks/publishing.py`.

Weighed: RabbitMQ's `x-max-length` with reject-publish, which Redis does not have, and which refuses
the outbox's relay, where nobody can be asked to come back.
"""

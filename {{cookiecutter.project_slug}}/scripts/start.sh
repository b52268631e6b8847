#!/bin/sh
# Start one role of the service: web, asgi, worker [queues], beat, relay or migrate. The only place
# where the commands stand; images, units, Compose and `make run` call it. Each role replaces this
# shell, so that it receives the signals itself.
set -eu
cd -- "$(dirname -- "$0")/.."

role=${1:-}
[ $# -eq 0 ] || shift
case $role in
web)
    # By file, not as python:config.gunicorn: HUP reads a file again, an imported module never.
    exec gunicorn --config config/gunicorn.py "$@" config.wsgi:application
    ;;
asgi)
    exec python -m config.asgi
    ;;
worker)
    # TERM waits for running tasks, for a bounded time (core/tasks/worker.py). REMAP_SIGTERM would
    # make it sleep that whole time whenever a task runs.
    unset REMAP_SIGTERM
    # In the order of priority: one worker of all three empties high first.
    queues=${1:-high,default,low}
    [ $# -eq 0 ] || shift
    # heartbeat, gossip and mingle are workers talking to each other, which nothing of ours reads.
    # CI runs the system checks; one of them asks the database, and a worker starts without it.
    exec celery -A config.celery --quiet --skip-checks worker --queues "$queues" \
        --without-heartbeat --without-gossip --without-mingle "$@"
    ;;
beat)
    exec celery -A config.celery --quiet --skip-checks beat "$@"
    ;;
relay)
    # manage.py would take the settings of development, and publish to nowhere.
    export DJANGO_SETTINGS_MODULE="${DJANGO_SETTINGS_MODULE:-}"
    exec python manage.py relay "$@"
    ;;
migrate)
    # The whole process past the pooler: `--database=direct` would leave what a RunPython writes
    # by the default alias in another transaction.
    if [ -n "${DATABASE_DIRECT_URL_FILE:-}" ]; then
        unset DATABASE_URL
        export DATABASE_URL_FILE="$DATABASE_DIRECT_URL_FILE"
    elif [ -n "${DATABASE_DIRECT_URL:-}" ]; then
        unset DATABASE_URL_FILE
        export DATABASE_URL="$DATABASE_DIRECT_URL"
    else
        echo "start.sh: migrations need DATABASE_DIRECT_URL, the database as migrator." >&2
        exit 78 # EX_CONFIG
    fi
    exec python manage.py migrate --no-input "$@"
    ;;
*)
    echo "start.sh: unknown role '$role'; it is web, asgi, worker [queues], beat, relay or migrate." >&2
    exit 64 # EX_USAGE
    ;;
esac

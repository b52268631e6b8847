#!/bin/sh
# What the units execute: start.sh ROLE [argument ...], by the path /srv/service/current/..., or
# /srv/service/releases/ID/... for what comes before the switch. Roles are those of
# scripts/start.sh, and besides:
#   check      Django's checks of a deployment, in this machine's environment
#   wait ROLE  until the process that was just started works (ExecStartPost)
set -eu

# Where a re-exec comes back to (core/server/hooks.py): this path, and by then another release.
export SERVICE_STARTED_BY="$0"
# The release itself and not the link: a process imports some modules late, and through the link
# they would be those of the release that comes after its own.
release=$(cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd -- "$release"
export RELEASE="${release##*/}" # what /__version__ answers
# Whole, because a re-exec inherits the PATH of the release before.
export PATH="$release/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The disk is read-only; release.sh has compiled everything.
export PYTHONDONTWRITEBYTECODE=1
# manage.py would take the settings of development.
export DJANGO_SETTINGS_MODULE="${DJANGO_SETTINGS_MODULE:-}"

# systemd names the files of a directory of credentials every_SECRET_KEY, requests_DATABASE_URL.
for file in "${CREDENTIALS_DIRECTORY:-/nonexistent}"/*; do
    [ -f "$file" ] || continue
    name=${file##*/}
    export "${name#*_}_FILE=$file"
done

works() {
    case $1 in
    asgi) python -I deploy/systemd/ask.py "${ASGI_PORT:-8001}" ;;
    *) python -m core.heartbeat "$1" --max-age 60 2>/dev/null ;;
    esac
}

case ${1:-} in
web)
    shift
    # The pid of the master that starts; gunicorn's own file appears when the code is loaded, and a
    # release that does not load would be waited for.
    echo $$ >"$RUNTIME_DIRECTORY/starting.pid"
    exec scripts/start.sh web --pid "$RUNTIME_DIRECTORY/web.pid" "$@"
    ;;
check)
    exec python manage.py check --deploy
    ;;
wait)
    # systemd ends it after TimeoutStartSec.
    until works "$2"; do
        kill -0 "$MAINPID" 2>/dev/null || exit 1
        sleep 0.5
    done
    ;;
*)
    exec scripts/start.sh "$@"
    ;;
esac

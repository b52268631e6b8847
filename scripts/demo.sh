#!/bin/sh
# Bakes the default service into DIR and runs it there. A second run keeps the environment, the key
# and the data of the first, and nothing else of it.
# Usage: demo.sh DIR
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
service=$1/my-service
marker=$1/.demo # says that the service beside it is ours to clear
lock=$service/.data/run.lock

stop() { echo "demo: $*" >&2; exit 1; }

is_held() { # by Python: macOS has no flock command
    "$root/.venv/bin/python" - "$1" <<'END'
import fcntl, sys
with open(sys.argv[1]) as lock:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(0)
sys.exit(1)
END
}

if [ -e "$service" ]; then
    [ -e "$marker" ] || stop "$service is there and no demo made it, so it is left alone:" \
        "choose another folder by  make demo DEMO=folder"
    [ ! -e "$lock" ] || ! is_held "$lock" || stop "one is running in $service: stop it first."
    find "$service" -mindepth 1 -maxdepth 1 \
        ! -name .venv ! -name .data ! -name .env ! -name uv.lock -exec rm -rf {} +
else
    mkdir -p "$1"
    : >"$marker"
fi
"$root/.venv/bin/python" "$root/scripts/bake.py" --quiet --overwrite "$1"
# exec, so that a signal sent to this process reaches the supervisor of the service
exec make --no-print-directory -C "$service" run

#!/bin/sh
# Ship a release on this machine, as root:  release.sh FOLDER | ARCHIVE.tar[.gz]
# Back to the release before it:            release.sh rollback
#
# Six steps: unpack, install, check, static files, migrate, activate. The first five touch nothing
# that serves. Activating moves the link `current`, restarts the consumers (they must know a task
# before web sends it), executes web's new code beside the old (USR2), and restarts asgi. A release
# that does not come up is taken back; the migrations stay, because they only expand.
# The name of the folder or archive is the release's name, which /__version__ answers.
set -eu
umask 022

root=${SERVICE_ROOT:-/srv/service}
run=${SERVICE_RUN:-/run/service-web} # RuntimeDirectory of service-web.service
port=${SERVICE_MANAGEMENT_PORT:-9464} # its METRICS_PORT
consumers="service-worker@high service-worker@default service-worker@low service-relay service-beat"
kept=5       # releases on the disk, beside the current one and the one before
start=90     # seconds until a new master is ready; TimeoutStartSec of the unit
drain=40     # seconds until the old one has ended; TimeoutStopSec, and some for a busy machine
took_over=15 # seconds until a USR2 has executed a new master

say() { echo "release: $*" || :; } # nobody may be listening any more
stop() {
    echo "release: $*" >&2
    exit 1
}

release_of() { # NAME OF A LINK: the release it leads to, or nothing
    [ ! -L "$root/$1" ] || basename -- "$(readlink -- "$root/$1")"
}

point() { # LINK RELEASE: by one rename, so that there is no moment without it
    rm -f -- "$root/$1.new"
    ln -s -- "releases/$2" "$root/$1.new"
    mv -T -- "$root/$1.new" "$root/$1"
}

pid_in() { # FILE: the process that it names, if that runs
    found=$(cat -- "$run/$1.pid" 2>/dev/null || :)
    [ -z "$found" ] || ! kill -0 "$found" 2>/dev/null || echo "$found"
}

serves() { # RELEASE
    "$root/releases/$1/.venv/bin/python" -I "$here/ask.py" "$port" "$1"
}

within() { # SECONDS COMMAND...: until it succeeds
    until_second=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$until_second" ] || return 1
        sleep 0.2
    done
}

started() { [ -n "$(pid_in starting)" ]; }
served_or_ended() { # RELEASE: one answer of its own is enough, the next may be the old master's
    if serves "$1"; then has_served=yes; else ! started; fi
}
leads() { [ "$(pid_in web)" = "$1" ]; }

execute_web() { # RELEASE: its master beside the old one, then instead of it
    # Restarted by systemd meanwhile, or never changed: it is there already.
    ! serves "$1" || return 0
    old=$(pid_in web)
    if [ -z "$old" ]; then
        systemctl restart service-web.service && within "$start" serves "$1"
        return
    fi
    rm -f -- "$run/starting.pid"
    kill -USR2 "$old"
    within "$took_over" started || {
        say "web did not execute the new code; the end of: journalctl -u service-web"
        return 1
    }
    new=$(pid_in starting)
    has_served=
    within "$start" served_or_ended "$1" || :
    if [ -n "$new" ] && [ -n "$has_served" ]; then
        # It finishes what it is at and names its successor to systemd (core/server/hooks.py).
        kill -TERM "$old"
        within "$drain" leads "$new" && return 0
        say "the old master, $old, has not ended after $drain s"
        return 1
    fi
    say "the new code of web is not ready; the end of: journalctl -u service-web"
    # Taken back before the old one has stopped anything: it never ceased to serve.
    [ -z "$new" ] || ! kill -TERM "$new" 2>/dev/null || within "$drain" ended "$new" || kill -KILL "$new"
    return 1
}
ended() { ! kill -0 "$1" 2>/dev/null; }

activate() { # RELEASE
    point current "$1"
    # shellcheck disable=SC2086 # each word is a unit
    systemctl restart $consumers || { say "of $consumers one does not come up"; return 1; }
    execute_web "$1" || return 1
    systemctl restart service-asgi.service || { say "service-asgi does not come up"; return 1; }
    serves "$1"
}

replace() { # RELEASE: activate it, or be again where we were
    before=$(release_of current)
    older=$(release_of previous)
    # Half a release is worse than none: a connection that breaks, or a Ctrl-C, ends nothing from
    # here on. And `previous` is right at every moment, should the machine lose its power.
    trap '' HUP INT PIPE TERM
    [ -z "$before" ] || point previous "$before"
    if activate "$1"; then
        say "$1 serves${before:+, instead of $before}"
        return 0
    fi
    [ -z "$older" ] || point previous "$older"
    [ -n "$before" ] || stop "$1 does not serve, and there is no release before it"
    say "back to $before"
    activate "$before" || stop "$1 FAILED AND $before DID NOT COME BACK: look at the units now"
    stop "$1 did not come up; $before serves"
}

unit() { # NAME DOES: run a oneshot of this release
    systemctl start "service-$1@$id.service" && return
    code=$(systemctl show --property=ExecMainStatus --value "service-$1@$id.service")
    [ "$code" != 78 ] || stop "the environment of this machine is not what $id needs:" \
        "journalctl -u service-$1@$id"
    stop "$2 (exit $code): journalctl -u service-$1@$id"
}

unpack() {
    mkdir -- "$target"
    if [ -d "$source" ]; then
        cp -R -- "$source/." "$target"
        rm -rf -- "$target/.venv" # its programs hold the paths of another folder
    else
        tar --no-same-owner -xf "$source" -C "$target" 2>/dev/null || stop "$source is not a tar archive"
        # An archive may hold one folder around everything.
        set -- "$target"/*
        if [ $# = 1 ] && [ -f "$1/manage.py" ]; then
            mv -- "$1" "$target.inner"
            rmdir -- "$target"
            mv -- "$target.inner" "$target"
        fi
    fi
    for needed in manage.py deploy/systemd/start.sh; do
        [ -f "$target/$needed" ] || stop "$source holds no release of the service: no $needed"
    done
    # Whatever it was where it was packed: the service's user reads it, and root alone writes.
    chmod -R u=rwX,go=rX -- "$target"
}

install_environment() {
    # What only root can read, such as its own folder, no service can execute.
    export UV_NO_DEV=1 UV_PYTHON_INSTALL_DIR="$root/python"
    (unset UV_PROJECT_ENVIRONMENT && sh "$target/scripts/install.sh" "$target") ||
        stop "the packages of $id cannot be installed (above)"
    "$target/.venv/bin/python" -m compileall -q \
        "$target/apps" "$target/config" "$target/core" "$target/manage.py"
}

collect_static() {
    (cd -- "$target" && .venv/bin/python -m scripts.collect_static) ||
        stop "the static files of $id cannot be collected (above)"
    # Pages of the release before are open in browsers, and ask for files by the hashes they had.
    [ -d "$root/current/staticfiles" ] || return 0
    (cd -- "$root/current/staticfiles" && find . -type f) | while read -r file; do
        [ ! -e "$target/staticfiles/$file" ] || continue
        mkdir -p -- "$(dirname -- "$target/staticfiles/$file")"
        cp -p -- "$root/current/staticfiles/$file" "$target/staticfiles/$file"
    done
    # By then nobody has such a page.
    find "$target/staticfiles" -type f -mtime +30 -delete
}

prune() {
    # Names are ours, of plain characters.
    # shellcheck disable=SC2012
    ls -1t "$root/releases" | tail -n "+$((kept + 1))" | while read -r old; do
        [ "$old" = "$(release_of current)" ] || [ "$old" = "$(release_of previous)" ] ||
            rm -rf -- "${root:?}/releases/$old"
    done
}

discard() { # what did not become a release, unless it is all there is
    [ -e "$target/.complete" ] || [ "$id" = "$(release_of current)" ] ||
        rm -rf -- "${target:?}" "$target.inner"
}

ship() {
    source=$1
    [ -e "$source" ] || stop "there is no folder or archive $source"
    id=$(basename -- "$source")
    id=${id%.tar.*} id=${id%.tar} id=${id%.tgz}
    case $id in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*)
        stop "'$id' is no name of a release: letters, digits, dots, hyphens and underscores" ;;
    esac
    target=$root/releases/$id
    if [ -e "$target/.complete" ] || [ "$id" = "$(release_of current)" ]; then
        stop "there is a release $id already: a name stands for one content, so choose another"
    fi
    discard # half of one, of a run that was interrupted
    trap discard EXIT
    say "1/6 unpack $id"
    unpack
    say "2/6 install its packages"
    install_environment
    say "3/6 check it in the environment of this machine"
    unit check "$id does not pass its checks"
    say "4/6 static files"
    collect_static
    say "5/6 migrate"
    unit migrate "the migrations of $id ended; nothing else was changed"
    say "6/6 activate"
    replace "$id"
    : >"$target/.complete"
    prune
}

if [ $# != 1 ] || [ -z "$1" ]; then
    echo "Usage: release.sh FOLDER | ARCHIVE.tar[.gz] | rollback" >&2
    exit 64 # EX_USAGE
fi
# By the copy that was started: the release under it may be pruned, or replaced, meanwhile.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
mkdir -p -- "$root/releases" 2>/dev/null || stop "$root cannot be written: run it as root"
[ -L "$root/static" ] || ln -s current/staticfiles "$root/static" # where deploy/nginx looks
exec 9>"$root/.lock"
flock -n 9 || stop "another release is being shipped on this machine"

case $1 in
rollback)
    back=$(release_of previous)
    [ -d "$root/releases/${back:-none}" ] || stop "there is no release before this one"
    replace "$back"
    ;;
*) ship "$1" ;;
esac

#!/bin/sh
# Restore the newest dump, or the one that is named, into a database that is thrown away, and compare
# it with the checksums that were taken when it was made. Run weekly, on a host that has the private
# key and is not the database's.
#
#   verify.sh [FILE.dump.age]
#
#   VERIFY_DATABASE_URL   a server for this alone, as a role that may create databases
#   BACKUP_DIRECTORY      where the dumps are, when no file is named
#   BACKUP_IDENTITY       the file of age's private key
#   BACKUP_METRICS        as in dump.sh, another file
#   VERIFY_MANAGE         `python manage.py` of the release that made the dump, with its environment;
#                         set, `migrate --check` must find nothing to do. Unset, it is not asked.
#   VERIFY_KEEP           the name of a database to restore into and to keep: a restore by hand
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/database.sh
. "$here/database.sh"
umask 077

stop() {
    echo "verify: $1" >&2
    exit "${2:-1}"
}

for name in VERIFY_DATABASE_URL BACKUP_IDENTITY; do
    eval "[ -n \"\${$name:-}\" ]" || stop "$name is not set." 78 # EX_CONFIG
done
dump=${1:-}
if [ -z "$dump" ]; then
    dump=$(find "${BACKUP_DIRECTORY:?}/all" -name '*.dump.age' | sort | tail -n 1)
fi
[ -f "$dump" ] || stop "there is no dump."
checksums=${dump%.dump.age}.checksums
[ -s "$checksums" ] || stop "$checksums is missing or empty."

connect_to "$VERIFY_DATABASE_URL"
began=$(date +%s)
database=${VERIFY_KEEP:-verify_$(date -u +%Y%m%d%H%M%S)_$$}
work=$(mktemp -d)
# The URL with another database: what follows its last slash, but for the parameters.
case $url in
*\?*) parameters="?${url#*\?}" ;;
*) parameters= ;;
esac
server=${url%%\?*}
server=${server%/*}
restored=$server/$database$parameters

run_psql() {
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"
}

run_psql --dbname="$url" --command="CREATE DATABASE \"$database\" TEMPLATE template0" ||
    stop "$database cannot be created."
clean() {
    rm -rf -- "$work"
    [ -n "${VERIFY_KEEP:-}" ] ||
        run_psql --dbname="$url" --command="DROP DATABASE IF EXISTS \"$database\" WITH (FORCE)"
}
trap clean EXIT
trap 'exit 143' TERM INT HUP

{
    age --decrypt --identity "$BACKUP_IDENTITY" "$dump" || touch "$work/failed"
} | pg_restore --exit-on-error --no-owner --no-privileges --dbname="$restored" ||
    stop "$dump cannot be restored."
[ ! -e "$work/failed" ] || stop "$dump cannot be decrypted."

run_psql --dbname="$restored" --file="$here/checksums.sql" >"$work/checksums"
if ! diff "$checksums" "$work/checksums" >&2; then
    stop "$dump restores to other rows than it was made from (< then, > now)."
fi
rows=$(awk -F '|' '{ sum += $2 } END { printf "%d", sum }' "$work/checksums")
[ "$rows" -gt 0 ] || stop "$dump holds no row: it was made of an empty database."
if [ -n "${VERIFY_MANAGE:-}" ]; then
    # The process needs the password in its URL, in an environment that it alone reads.
    credentials=${VERIFY_DATABASE_URL%%\?*}
    # shellcheck disable=SC2086 # a command of several words
    DATABASE_URL="${credentials%/*}/$database$parameters" $VERIFY_MANAGE migrate --check ||
        stop "$dump lacks migrations of this release, or this release lacks its."
fi

write_metrics "${BACKUP_METRICS:-}" <<METRICS
# HELP backup_verified_timestamp_seconds When a dump was last restored and found equal, in Unix time.
# TYPE backup_verified_timestamp_seconds gauge
backup_verified_timestamp_seconds $(date +%s)
# HELP backup_verified_rows Rows of all tables of that dump.
# TYPE backup_verified_rows gauge
backup_verified_rows $rows
# HELP backup_verify_duration_seconds How long restoring and comparing took.
# TYPE backup_verify_duration_seconds gauge
backup_verify_duration_seconds $(($(date +%s) - began))
METRICS
echo "verify: $dump restores to the $rows rows it was made from, in $(($(date +%s) - began)) s"

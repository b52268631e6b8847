#!/bin/sh
# The nightly dump: one custom-format file of the database, encrypted to keys that this host does not
# have, with the checksums of its own snapshot beside it. Run by cron, a timer or a CronJob.
#
#   DATABASE_DIRECT_URL   the database past the pooler, as its owner; or DATABASE_DIRECT_URL_FILE
#   BACKUP_DIRECTORY      where the dumps are, a file system of its own
#   BACKUP_RECIPIENTS     a file of age's public keys, one a line; the private ones are elsewhere
#   BACKUP_METRICS        the file for node_exporter's textfile collector; unset, none is written
#   BACKUP_UPLOAD         a program that is given the file, to take it off the host; its failure is ours
#   BACKUP_DAYS, BACKUP_WEEKS, BACKUP_MONTHS   how many of each are kept: 14, 8 and 12
#
# Needs pg_dump of the server's version or newer, and age. Weighed: gpg, which keeps a keyring and an
# agent for what is one public key here; openssl cms, which holds the whole message in memory to
# decrypt it. pg_dump's own parallel mode writes a folder, and so cannot be streamed.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/database.sh
. "$here/database.sh"
umask 077

stop() {
    echo "dump: $1" >&2
    exit "${2:-1}"
}

if [ -n "${DATABASE_DIRECT_URL_FILE:-}" ]; then
    DATABASE_DIRECT_URL=$(cat -- "$DATABASE_DIRECT_URL_FILE")
fi
for name in DATABASE_DIRECT_URL BACKUP_DIRECTORY BACKUP_RECIPIENTS; do
    eval "[ -n \"\${$name:-}\" ]" || stop "$name is not set." 78 # EX_CONFIG
done
if grep -q 'AGE-SECRET-KEY' "$BACKUP_RECIPIENTS"; then
    stop "$BACKUP_RECIPIENTS holds a private key: whoever takes this host could read every dump." 78
fi
connect_to "$DATABASE_DIRECT_URL"
unset DATABASE_DIRECT_URL

began=$(date +%s)
name=$(date -u +%Y%m%dT%H%M%SZ)
dumps=$BACKUP_DIRECTORY/all
mkdir -p "$dumps" "$BACKUP_DIRECTORY/days" "$BACKUP_DIRECTORY/weeks" "$BACKUP_DIRECTORY/months"
# One at a time: mkdir is the lock that every file system has.
lock=$BACKUP_DIRECTORY/running
mkdir "$lock" 2>/dev/null || stop "$lock exists: another dump runs, or died; remove it then." 75
work=$(mktemp -d)
trap 'rm -rf -- "$work" "$lock" "$dumps/$name.partial"' EXIT
trap 'exit 143' TERM INT HUP

# The snapshot is held by a psql that also takes the checksums in it: what is verified later is what
# was there when the dump began. Both timeouts of the role would end it half-way.
mkfifo "$work/ask" "$work/told"
psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$url" \
    <"$work/ask" >"$work/told" &
session=$!
exec 3>"$work/ask" 4<"$work/told"
cat >&3 <<'SQL'
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();
SQL
read -r snapshot <&4 || stop "the database cannot be reached."
printf '\\o %s\n\\i %s\n\\o\nSELECT 1;\n' "'$work/checksums'" "'$here/checksums.sql'" >&3

# A pipe ends as its last command does: what pg_dump says of itself is kept beside it.
{
    pg_dump --format=custom --compress=6 --snapshot="$snapshot" --dbname="$url" 3>&- 4<&- ||
        touch "$work/failed"
} | age --recipients-file "$BACKUP_RECIPIENTS" --output "$dumps/$name.partial" 3>&- 4<&-
[ ! -e "$work/failed" ] || stop "pg_dump failed; nothing was kept."
read -r _ <&4 || stop "the checksums failed; nothing was kept."
exec 3>&- 4<&-
wait "$session" || stop "the checksums failed; nothing was kept."

sync "$dumps/$name.partial"
mv -- "$work/checksums" "$dumps/$name.checksums"
mv -- "$dumps/$name.partial" "$dumps/$name.dump.age"
if [ -n "${BACKUP_UPLOAD:-}" ]; then
    for file in "$name.dump.age" "$name.checksums"; do
        "$BACKUP_UPLOAD" "$dumps/$file" || stop "$file could not be taken off this host."
    done
fi

# keep FOLDER PERIOD COUNT: the first dump of a period stands for it, by a hard link, so that three
# rules cost no space thrice.
keep() {
    if [ ! -e "$BACKUP_DIRECTORY/$1/$2.dump.age" ]; then
        ln -- "$dumps/$name.checksums" "$BACKUP_DIRECTORY/$1/$2.checksums"
        ln -- "$dumps/$name.dump.age" "$BACKUP_DIRECTORY/$1/$2.dump.age"
    fi
    forget "$1" "$3"
}

# forget FOLDER COUNT: names sort by age, in all folders.
forget() {
    find "$BACKUP_DIRECTORY/$1" -name '*.dump.age' | sort -r | tail -n "+$(($2 + 1))" |
        while IFS= read -r old; do
            rm -f -- "$old" "${old%.dump.age}.checksums"
        done
}

keep days "$(date -u +%Y-%m-%d)" "${BACKUP_DAYS:-14}"
keep weeks "$(date -u +%G-W%V)" "${BACKUP_WEEKS:-8}"
keep months "$(date -u +%Y-%m)" "${BACKUP_MONTHS:-12}"
# More than one a day is somebody's at work: the newest few are enough beside the rules.
forget all 3

write_metrics "${BACKUP_METRICS:-}" <<METRICS
# HELP backup_last_success_timestamp_seconds When the last dump was whole, in Unix time.
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds $(date +%s)
# HELP backup_size_bytes Of the last dump, compressed and encrypted.
# TYPE backup_size_bytes gauge
backup_size_bytes $(wc -c <"$dumps/$name.dump.age" | tr -d ' ')
# HELP backup_duration_seconds How long the last dump took.
# TYPE backup_duration_seconds gauge
backup_duration_seconds $(($(date +%s) - began))
METRICS
echo "dump: $dumps/$name.dump.age"

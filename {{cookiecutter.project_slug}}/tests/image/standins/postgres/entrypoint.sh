#!/bin/sh
# A new data folder: initdb, the scripts by a server that listens on a socket only, then the command.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # words, as the image takes them
    initdb -D "$PGDATA" -U postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \
        $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w start \
        -o "-c listen_addresses='' -c unix_socket_directories=/run/postgresql"
    for script in /docker-entrypoint-initdb.d/*; do
        PGHOST=/run/postgresql "$script"
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"

#!/bin/sh
# Run once by the image, when its data folder is new: the limits, roles and database of production.
set -eu
cat /etc/service/postgresql.conf >>"$PGDATA/postgresql.conf"
# psql reads the passwords itself: a command line is for everyone to read.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres \
    --set=database=service --set=service_name="$SERVICE_NAME" <<'END'
\set app_password `cat /run/secrets/app_password`
\set migrator_password `cat /run/secrets/migrator_password`
\i /etc/service/roles.sql
END

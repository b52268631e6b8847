#!/bin/sh
# make up: build the images and start compose.yaml; DOWN=1 stops it and keeps the data.
# Secrets are made here once, in .compose/secrets, and stay on this machine. COMPOSE names another
# program than `docker compose`, such as podman-compose.
set -eu
cd -- "$(dirname -- "$0")/.."
compose=${COMPOSE:-docker compose}
. deploy/identity.env
export SERVICE_NAME DOMAIN_NAME

run() {
    # shellcheck disable=SC2086 # a program and its word
    $compose --env-file deploy/identity.env "$@"
}
[ -z "${DOWN:-}" ] || {
    run down
    exit
}

secret() { # NAME VALUE: written once. The folder is closed; the file must be open to the container's user.
    [ -e "$secrets/$1" ] || (umask 333 && printf '%s' "$2" >"$secrets/$1")
}
random() { python3 -c 'import secrets; print(secrets.token_urlsafe(36))'; }
value() { cat "$secrets/$1"; }

secrets=.compose/secrets
mkdir -p "$secrets"
chmod 700 .compose "$secrets"
for name in secret_key postgres_password app_password migrator_password pgbouncer_password \
    s3_access_key_id s3_secret_access_key; do
    secret "$name" "$(random)$(random)"
done
secret database_url "postgresql://app:$(value app_password)@pgbouncer:6432/service"
secret database_worker_url "postgresql://app:$(value app_password)@pgbouncer:6432/service_worker"
secret database_direct_url "postgresql://migrator:$(value migrator_password)@postgres:5432/service"
secret pgbouncer_users "\"app\" \"$(value app_password)\"
\"pgbouncer\" \"$(value pgbouncer_password)\"
"
[ -e .compose/s3.env ] || (umask 077 && printf 'ROOT_ACCESS_KEY_ID=%s\nROOT_SECRET_ACCESS_KEY=%s\n' \
    "$(value s3_access_key_id)" "$(value s3_secret_access_key)" >.compose/s3.env)
sh scripts/compose_nginx.sh

if [ -z "${NO_BUILD:-}" ]; then
    sh scripts/image.sh "$SERVICE_NAME:local"
    CONTEXT=deploy/compose/pgbouncer sh scripts/image.sh "$SERVICE_NAME-pgbouncer:local"
fi
run up --detach --remove-orphans "$@"
echo "https://$DOMAIN_NAME:${HTTPS_PORT:-8443} (its name must lead to 127.0.0.1: /etc/hosts)," \
    "mail: http://127.0.0.1:${MAIL_PORT:-8025}"

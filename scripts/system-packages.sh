#!/bin/sh
# Names the system packages the full test run needs and, as root on Debian or Ubuntu, installs them.
# PostgreSQL and Valkey are not among them: they come from wheels.
# Usage: system-packages.sh [command:package...]
set -eu
[ $# -gt 0 ] || set -- git:git pgbouncer:pgbouncer xgettext:gettext chromium:chromium rabbitmq-server:rabbitmq-server \
    buildah:buildah podman:podman runc:runc mmdebstrap:mmdebstrap iptables:iptables ip:iproute2 \
    openssl:openssl netavark:netavark aardvark-dns:aardvark-dns
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/podman # Debian keeps servers there, and a user's PATH leaves them out

missing=
for need in "$@"; do
    command -v "${need%:*}" >/dev/null 2>&1 || missing="$missing ${need#*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "The tests need$missing: installing with apt-get."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # word splitting is wanted: each word is a package
    # shellcheck disable=SC2086
    exec apt-get install -qq -y --no-install-recommends $missing
fi
echo "The tests need$missing. Install it, then run the command again:" >&2
echo "  sudo apt-get install --no-install-recommends$missing" >&2
exit 1

#!/bin/sh
# Names the system packages the full test run needs and, as root on Debian or Ubuntu, installs them.
# PostgreSQL and Valkey are not among them: they come from wheels.
# Usage: system-packages.sh [command-or-file:package...]
set -eu
[ $# -gt 0 ] || set -- git:git pgbouncer:pgbouncer xgettext:gettext chromium:chromium rabbitmq-server:rabbitmq-server \
    buildah:buildah podman:podman runc:runc mmdebstrap:mmdebstrap iptables:iptables ip:iproute2 \
    openssl:openssl nginx:nginx varnishd:varnish systemd-analyze:systemd nft:nftables sshd:openssh-server \
    /usr/lib/nginx/modules/ngx_http_brotli_static_module.so:libnginx-mod-http-brotli-static \
    netavark:netavark aardvark-dns:aardvark-dns age:age pgbackrest:pgbackrest initdb:postgresql
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/podman # Debian keeps servers there, and a user's PATH leaves them out
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done

missing=
for need in "$@"; do
    # -e: a module that is loaded is no program
    command -v "${need%:*}" >/dev/null 2>&1 || [ -e "${need%:*}" ] || missing="$missing ${need#*:}"
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

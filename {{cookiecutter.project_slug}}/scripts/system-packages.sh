#!/bin/sh
# make packages: the system packages of a full test run, on Debian or Ubuntu, as root or by sudo.
# PostgreSQL and Valkey are not among them: they come from wheels. Ceph's gateway is unpacked into
# the user's cache.
set -eu
PATH=$PATH:/usr/sbin:/sbin # Debian keeps servers there, and a user's PATH leaves them out

needed=
for program in age pgbackrest pgbouncer nginx rabbitmq-server buildah podman runc mmdebstrap iptables; do
    command -v "$program" >/dev/null || needed="$needed $program" # its package has its name
done
for program in netavark aardvark-dns; do # podman's own: none of them is on a PATH
    [ -x "/usr/lib/podman/$program" ] || needed="$needed $program"
done
[ -e /usr/lib/nginx/modules/ngx_http_brotli_static_module.so ] ||
    needed="$needed libnginx-mod-http-brotli-static"
command -v varnishd >/dev/null || needed="$needed varnish"
command -v ip >/dev/null || needed="$needed iproute2"
command -v systemd-analyze >/dev/null || needed="$needed systemd"
command -v nft >/dev/null || needed="$needed nftables"
command -v sshd >/dev/null || needed="$needed openssh-server"
# pgBackRest knows the PostgreSQL of its own release, and not the wheel's.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || needed="$needed postgresql"
if [ -n "$needed" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "system-packages: the tests need$needed, and there is no apt-get: install it." >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "system-packages: as root, run  apt-get install$needed" >&2
            exit 1
        }
        as_root="sudo"
    fi
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # each word is a package
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends $needed
fi
"${PYTHON:-python3}" -c 'from scripts.servers import radosgw; radosgw.install()'
# Debian 12 has 1.20; elsewhere it is not packaged, and the tests say where it comes from.
"${PYTHON:-python3}" -m scripts.manifests.kubectl || :

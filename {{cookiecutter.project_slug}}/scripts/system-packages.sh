#!/bin/sh
# make packages: the system packages of a full test run, on Debian or Ubuntu, as root or by sudo.
# PostgreSQL and Valkey are not among them: they come from wheels. Ceph's gateway is unpacked into
# the user's cache.
set -eu
PATH=$PATH:/usr/sbin:/sbin # Debian keeps servers there, and a user's PATH leaves them out

if ! command -v pgbouncer >/dev/null; then
    if ! command -v apt-get >/dev/null; then
        echo "system-packages: the tests need pgbouncer, and there is no apt-get: install it." >&2
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "system-packages: as root, run  apt-get install pgbouncer" >&2
            exit 1
        }
        as_root="sudo"
    fi
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends pgbouncer
fi
"${PYTHON:-python3}" -c 'from scripts.servers import radosgw; radosgw.install()'

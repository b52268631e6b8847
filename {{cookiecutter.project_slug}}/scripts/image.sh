#!/bin/sh
# make image: build the image of this tree by the engine that is here: docker, podman or buildah.
# Usage: image.sh NAME:TAG [option of the engine's build ...]
#   ENGINE=podman chooses; BASE_IMAGE=name@sha256:... builds on another base; SOURCE, VERSION, COMMIT
#   and BUILD say where it comes from, else git does. CONTEXT=folder holds another Dockerfile.
set -eu
cd -- "$(dirname -- "$0")/.."

[ $# -gt 0 ] || {
    echo "Usage: image.sh NAME:TAG [option ...]" >&2
    exit 64 # EX_USAGE
}
name=$1
shift

if [ -z "${ENGINE:-}" ]; then
    for candidate in docker podman buildah; do
        # A client without its daemon builds nothing.
        if command -v "$candidate" >/dev/null && "$candidate" info >/dev/null 2>&1; then
            ENGINE=$candidate
            break
        fi
    done
fi
case ${ENGINE:-} in
# An image in OCI's own format has no HEALTHCHECK; podman and buildah drop it without a word.
docker) build="docker build" ;;
podman) build="podman build --format docker" ;;
buildah) build="buildah bud --format docker" ;;
*)
    echo "image: there is no docker, podman or buildah that works here: install one of them." >&2
    exit 69 # EX_UNAVAILABLE
    ;;
esac

from_git() { git "$@" 2>/dev/null || :; }
# Without the user and password that a remote's address may hold: everybody can read a label.
: "${SOURCE=$(from_git config remote.origin.url | sed 's|//[^/@]*@|//|')}"
: "${COMMIT=$(from_git rev-parse HEAD)}"
: "${VERSION=$(from_git describe --tags --always --dirty)}"
set -- "$@" --build-arg "SOURCE=$SOURCE" --build-arg "COMMIT=$COMMIT" \
    --build-arg "VERSION=${VERSION:-unknown}" --build-arg "BUILD=${BUILD:-}"
[ -z "${BASE_IMAGE:-}" ] || set -- "$@" --build-arg "BASE_IMAGE=$BASE_IMAGE"

# The index that pip is told of here is the build's as well. As a secret: it may hold a password.
index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || :)}
if [ -n "$index" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    printf '[global]\nindex-url = %s\n' "$index" >"$folder/pip.conf"
    set -- "$@" --secret "id=pip.conf,src=$folder/pip.conf"
fi
export DOCKER_BUILDKIT=1 # before 23 docker has it and does not use it
# shellcheck disable=SC2086 # two words and more
$build --tag "$name" "$@" "${CONTEXT:-.}"

#!/bin/sh
# checkov on every rendered overlay: 0 failed checks, but for those that deploy/kubernetes/checkov.yml
# gives a reason for. Its 400 MB of packages are in no environment of the service: uv keeps them in
# its cache, and takes none that is newer than pyproject.toml's day.
set -eu
cd -- "$(dirname -- "$0")/.."
version=3.3.30
uv=$(command -v uv || ls "${XDG_CACHE_HOME:-$HOME/.cache}"/service-template/uv-*/bin/uv | tail -n 1)
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || :)}}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
day=$(sed -n 's/^exclude-newer = "\(.*\)"$/\1/p' pyproject.toml)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m scripts.manifests --write "$work"
"$uv" run --quiet --isolated --no-project --exclude-newer "$day" --with "checkov==$version" \
    checkov --config-file deploy/kubernetes/checkov.yml --directory "$work"
echo "checkov $version: no failed check."

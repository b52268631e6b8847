#!/bin/sh
# One release, in the order in which nothing is asked for what is not there yet: configuration and
# pooler, migration, consumers, then what sends them work. It stops at the first step that fails; what
# was serving still serves.
#   release.sh OVERLAY sha256:SERVICE sha256:PGBOUNCER [sha256:STABLE]
# STABLE is what web keeps, while the overlay's canary runs SERVICE.
# KUBECTL names another program, such as `kubectl --context staging`.
set -eu
cd -- "$(dirname -- "$0")/../.."
[ $# = 3 ] || [ $# = 4 ] || {
    echo "release.sh: say an overlay and the digests of both images." >&2
    exit 64 # EX_USAGE
}
kubectl=${KUBECTL:-kubectl}
manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
"${PYTHON:-python3}" -m scripts.manifests "$1" --service "$2" --pgbouncer "$3" \
    --stable "${4:-}" >"$manifests"
namespace=$(sed -n 's/^  namespace: //p' "$manifests" | head -n 1)
component=app.kubernetes.io/component

in_namespace() {
    # shellcheck disable=SC2086 # a program and its words
    $kubectl --namespace "$namespace" "$@"
}
apply() { # SELECTOR
    echo "== $1"
    in_namespace apply --filename "$manifests" --selector "$1"
}
roll() { # COMPONENT...: together, and then each to its end, at most its progressDeadlineSeconds
    apply "$component in ($(echo "$*" | tr ' ' ,))"
    for name in $(in_namespace get deployments --output name --selector "$component in ($(echo "$*" | tr ' ' ,))"); do
        in_namespace rollout status "$name"
    done
}

apply "!$component"
roll pgbouncer

# A Job cannot be changed; the last release's is done.
in_namespace delete job migrate --ignore-not-found
apply "$component in (migrate, orphaned-files)"
until [ "$(in_namespace get job migrate --output 'jsonpath={.status.succeeded}')" = 1 ]; do
    conditions=$(in_namespace get job migrate --output 'jsonpath={.status.conditions[*].type}')
    case $conditions in *Failed*)
        in_namespace logs job/migrate --tail 20 >&2 || :
        echo "release.sh: the migration failed; nothing of the new release runs." >&2
        exit 1
        ;;
    esac
    sleep "${INTERVAL:-5}"
done

roll worker-high worker-default worker-low relay beat
roll web asgi

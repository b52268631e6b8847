#!/bin/sh
# Install the project in DIR (default: this one) into DIR/.venv, or $UV_PROJECT_ENVIRONMENT, from a
# machine that has a shell and perhaps not even pip. Silent when nothing has changed.
#   install.sh [DIR]
# Packages come from the index that pip or uv is configured with.
set -eu

uv_version=0.13.8 # installed when PATH has none
uv_minimum=0.13   # the first whose UV_EXCLUDE_NEWER=false lifts the day of pyproject.toml

say() { echo "install: $*" >&2; }
stop() { say "$*"; exit 1; }

cd "${1:-$(dirname "$0")/..}" 2>/dev/null || stop "there is no folder $1."
venv=${UV_PROJECT_ENVIRONMENT:-.venv}
stamp=$venv/.installed

stale() {
    for made_from in pyproject.toml .python-version uv.lock; do
        [ -e "$made_from" ] || [ "$made_from" = .python-version ] || return 0
        [ -z "$(find "$made_from" -newer "$stamp" 2>/dev/null)" ] || return 0
    done
    [ ! -e "$stamp" ] || [ ! -x "$venv/bin/python" ]
}
stale || exit 0

recent_enough() { # newest of the two is the one we were given; not every system's sort has -V
    [ "$(printf '%s\n' "$uv_minimum" "$1" | sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1)" = "$1" ]
}

can_make_environments() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

install_uv() {
    if ! can_make_environments; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            say "this Python cannot make environments: installing python3-venv by apt-get"
            { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq \
                --no-install-recommends -o DPkg::Lock::Timeout=300 python3-venv; } >&2 ||
                stop "apt-get could not install python3-venv."
        fi
        can_make_environments || stop "this needs uv $uv_minimum or Python's venv module:" \
            "install uv, or run  sudo apt-get install python3-venv"
    fi
    say "installing uv $uv_version into $tools"
    mkdir -p "$(dirname "$tools")"
    fresh=$(mktemp -d "$tools.XXXXXX") # renamed when complete, so that an interrupted one is no trap
    { python3 -m venv "$fresh" &&
        "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"; } >&2 || {
        rm -rf "$fresh"
        stop "pip could not install uv $uv_version; is the package index reachable (pip config list)?"
    }
    rm -rf "$tools"
    mv "$fresh" "$tools"
}

uv=$(command -v uv || :)
if [ -z "$uv" ] || ! recent_enough "$("$uv" --version | cut -d ' ' -f 2)"; then
    tools=${XDG_CACHE_HOME:-${HOME:-$PWD/.tools}/.cache}/service-template/uv-$uv_version
    uv=$tools/bin/uv
    [ -x "$uv" ] || install_uv
fi

# A mirror that pip was told of is meant for uv, too. Only the main index: uv prefers an extra one
# to the main one, package by package, where pip takes the best version of both.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || :)}
    case $index in
    '') ;;
    file://*) [ ! -d "${index#file://}" ] || export UV_DEFAULT_INDEX="$index" ;;
    *) export UV_DEFAULT_INDEX="$index" ;;
    esac
fi
[ -n "${SSL_CERT_FILE:-}" ] || [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="$PIP_CERT"

wanted=$(cat .python-version 2>/dev/null || echo 3.13)
if [ -z "${UV_PYTHON:-}" ]; then
    UV_PYTHON=$("$uv" python find --no-project --no-python-downloads "$wanted" 2>/dev/null || :)
    for candidate in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$wanted"*/bin/python; do
        [ -n "$UV_PYTHON" ] || [ ! -x "$candidate" ] || UV_PYTHON=$candidate
    done
    if [ -z "$UV_PYTHON" ]; then
        say "no Python $wanted on PATH or in pyenv: downloading one"
        "$uv" python install "$wanted" >&2 || stop "there is no Python $wanted and it cannot be" \
            "downloaded: install it with your system's packages or  pyenv install $wanted"
        UV_PYTHON=$("$uv" python find --no-project "$wanted")
    fi
    export UV_PYTHON
fi

problems=$(mktemp)
trap 'rm -f "$problems"' EXIT
if ! "$uv" lock 2>"$problems"; then
    grep -v '^warning: .* missing an upload date' "$problems" >&2 || :
    ! grep -q 'missing an upload date' "$problems" ||
        stop "the index does not say when files were uploaded, so exclude-newer in pyproject.toml" \
            "finds none; override the day:  UV_EXCLUDE_NEWER=false make"
    stop "the versions of pyproject.toml cannot be resolved (above)."
fi
[ -z "${INSTALL_LOCK_ONLY:-}" ] || exit 0 # for scripts/upgrade.py, which wants the versions alone
# Bytecode now: without it each of the first processes compiles Django for 2 s.
"$uv" sync --frozen --compile-bytecode || stop "the packages cannot be installed (above)."
touch "$stamp"

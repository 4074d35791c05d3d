#!/bin/sh
# Makes .venv as uv.lock says; does nothing when that was done before and nothing changed since.
# Needs Python 3.11, 3.12 or 3.13 and a package index. Writes below this checkout and in package caches only.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
stamp=.venv/.made-from
# A checkout that was moved needs a new environment, too: its scripts hold the old path.
want=$({ cat uv.lock pyproject.toml verifier/pyproject.toml; echo "$here"; } | cksum)

say() { printf 'epicase: %s\n' "$*" >&2; }

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && suits .venv/bin/python; then
    exit 0
fi

find_python() {
    for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 && suits "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say 'no Python 3.11, 3.12 or 3.13 was found: install one, or name it with make PYTHON=/path/to/python3 ...'
    return 1
}

# The uv of this checkout, used where the machine has none or has one that cannot read the lock file.
own_uv() {
    for found in .tools/bin/uv .tools/uv/bin/uv; do
        if [ -x "$found" ] && "$found" --version >/dev/null 2>&1; then echo "$found"; return; fi
    done
    if "$python" -m venv --clear .tools >/dev/null 2>&1; then
        .tools/bin/python -m pip install --quiet --disable-pip-version-check "$uv_version" >&2 && echo .tools/bin/uv
    else
        # Some systems leave out the part of Python that makes environments with pip in them.
        "$python" -m pip install --quiet --disable-pip-version-check --target .tools/uv "$uv_version" >&2 \
            && echo .tools/uv/bin/uv
    fi
}

sync_with() {
    if suits .venv/bin/python; then set -- "$1"; else set -- "$1" --python "$python"; fi
    uv=$1
    shift
    said=$("$uv" sync --locked --quiet "$@" 2>&1) && return 0
    printf '%s\n' "$said" >&2
    case "$said" in
    *'needs to be updated'*) say 'uv.lock does not fit pyproject.toml: run uv lock'; exit 1 ;;
    esac
    return 1
}

# For networks where only pip knows the index: the same versions and hashes, fetched by pip.
sync_with_pip() {
    "$1" export --frozen --quiet --no-emit-package epicase-verify --output-file .tools/requirements.txt || return 1
    "$python" -m venv --clear .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r .tools/requirements.txt || return 1
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable ./verifier
}

python=$(find_python)
uv_version='uv==0.13.9'
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT="$here/.venv" UV_NO_PROGRESS=1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH
[ -w "${HOME:-/nonexistent}" ] || export UV_CACHE_DIR="$here/.cache/uv"
if [ -z "${SSL_CERT_FILE:-}" ] && [ -r "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi

say 'making .venv from uv.lock'
if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1 && sync_with uv; then
    :
else
    if ! uv=$(own_uv) || [ -z "$uv" ]; then
        say 'uv could not be installed: is a package index reachable, and is pip there (python3-venv on Debian)?'
        exit 1
    fi
    if ! sync_with "$uv"; then
        say 'uv could not make the environment; trying pip with the same lock'
        sync_with_pip "$uv" || { say 'the packages of uv.lock could not be installed: see the lines above'; exit 1; }
    fi
fi
printf '%s\n' "$want" >"$stamp"

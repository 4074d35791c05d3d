#!/bin/sh
# Runs the tests; says loudly when the browser journeys cannot run. REQUIRE_BROWSER=1 makes that a failure.
set -u
cd "$(dirname "$0")/.."

has_browser() {
    [ -x "${CHROMIUM:-}" ] && return 0
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

warn() {
    printf '\n%s\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!' >&2
    printf '%s\n' '!!  NO CHROMIUM WAS FOUND: THE BROWSER TESTS DO NOT RUN.' >&2
    printf '%s\n' '!!  Install chromium, or give its path: make test CHROMIUM=/path/to/chromium' >&2
    printf '%s\n\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!' >&2
}

if ! has_browser; then
    warn
    [ "${REQUIRE_BROWSER:-}" = 1 ] && exit 1
fi
# Test databases are copied hundreds of times, a thousand files each: in memory that takes a thirtieth of the time.
# Used where there is room and programs may run; EPICASE_STATE_DIR names another folder.
memory=/dev/shm
has_memory() {
    [ -d "$memory" ] && [ -w "$memory" ] || return 1
    [ "$(df -Pk "$memory" | awk 'NR == 2 { print $4 }')" -gt 4000000 ] || return 1
    probe=$(mktemp "$memory/epicase-probe.XXXXXX") || return 1
    printf '#!/bin/sh\n' >"$probe" && chmod 700 "$probe" && "$probe" 2>/dev/null
    may_run=$?
    rm -f "$probe"
    return $may_run
}

forget() {
    rm -rf "$TMPDIR"
    # Refused while another run still uses the servers.
    "$PYTHON" - "$EPICASE_STATE_DIR" <<'END'
import contextlib, pathlib, sys
from epicase import embedded
with contextlib.suppress(embedded.EmbeddedError):
    embedded.reset(pathlib.Path(sys.argv[1]))
END
}

if [ -z "${EPICASE_STATE_DIR:-}" ] && has_memory; then
    mine="$memory/epicase-$(id -u)-$(pwd -P | cksum | cut -d' ' -f1)"
    for left in "$mine"-tmp.*; do
        kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
    done
    EPICASE_STATE_DIR="$mine-test" TMPDIR="$mine-tmp.$$"
    export EPICASE_STATE_DIR TMPDIR
    # The servers run as nobody when the tests run as root, and have folders of their own inside.
    mkdir -m 711 "$TMPDIR"
    trap forget EXIT
    trap 'exit 130' INT TERM
fi

# One process more than there are cores, since browsers and servers are often waited for; a file's tests together.
# WORKERS=0 runs all in one process, in which a debugger works.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
EPICASE_TEST=1 "$PYTHON" -m pytest -n "${WORKERS:-$((cores + 1))}" --dist loadfile --no-loadscope-reorder "$@"
result=$?
has_browser || warn
exit $result

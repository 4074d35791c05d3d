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
# One process more than there are cores, since browsers and servers are often waited for; a file's tests together.
# WORKERS=0 runs all in one process, in which a debugger works.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
EPICASE_TEST=1 "$PYTHON" -m pytest -n "${WORKERS:-$((cores + 1))}" --dist loadfile --no-loadscope-reorder "$@"
result=$?
has_browser || warn
exit $result

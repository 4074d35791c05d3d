#!/bin/sh
# Asks for known weaknesses of the installed packages. Without an answer from the network it says so and goes on.
set -u
cd "$(dirname "$0")/.."
ask() { timeout 120 "$PYTHON" -m pip_audit --progress-spinner off --timeout 10 "$@" 2>&1; }

# One package first: an index that knows nothing of weaknesses is not asked a hundred times.
probe=$(mktemp)
trap 'rm -f "$probe"' EXIT
"$PYTHON" -c 'import django; print(f"django=={django.get_version()}")' >"$probe"
answer=$(ask --disable-pip --no-deps -r "$probe")
case "$answer" in
*'No known vulnerabilities'*'could not be audited'* | *'could not be audited'*'No known vulnerabilities'*) known=no ;;
*'No known vulnerabilities'* | *'known vulnerabilit'*) known=yes ;;
*) known=no ;;
esac
if [ $known = no ]; then
    echo 'pip-audit: NOT ASKED, no service for known weaknesses answers here'
    exit 0
fi
answer=$(ask --local --skip-editable)
result=$?
case "$answer" in
*'Found '*'known vulnerabilit'*) printf '%s\n' "$answer"; exit 1 ;;
esac
[ $result -eq 0 ] && echo 'pip-audit: no known weakness' || echo 'pip-audit: NOT ASKED TO THE END, the network stopped answering'

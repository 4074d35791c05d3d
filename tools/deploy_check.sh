#!/bin/sh
# Runs Django's deployment checks on production settings: nothing of demo, tests or development, and no real secret.
set -eu
cd "$(dirname "$0")/.."
unset EPICASE_DEMO EPICASE_DEV EPICASE_TEST EPICASE_LOGIN EPICASE_STATE_DIR
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
"$PYTHON" - "$keys" <<'PYTHON'
import secrets, sys
from pathlib import Path

from django.conf import settings

settings.configure(SECRET_KEY="unused")
from vault.providers import FileProvider

FileProvider.create(Path(sys.argv[1], "keyring.json"))
Path(sys.argv[1], "secret_key").write_text(secrets.token_urlsafe(64))
PYTHON
EPICASE_SECRET_KEY_FILE="$keys/secret_key" \
    EPICASE_KEYRING="file:$keys/keyring.json" \
    EPICASE_ALLOWED_HOSTS=cases.example.org \
    DATABASE_URL='postgresql://epi_app@/epicase?host=/nonexistent' \
    REDIS_URL='redis+socket:///nonexistent/valkey.sock' \
    "$PYTHON" manage.py check --deploy --fail-level WARNING

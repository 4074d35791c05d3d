#!/bin/sh
# Makes the folder of an installation: secrets, keys and the .env that docker-compose.yml reads. Never replaces a file.
#
#   sh deploy/make_secrets.sh FOLDER HOST        e.g. sh deploy/make_secrets.sh /srv/epicase cases.example.org
#
# The folder must lie outside this checkout. Run it as the user whose uid the containers shall have; run by root it
# wants EPICASE_UID (and EPICASE_GID) of such a user, and gives the files to it. The two keys are made by the image
# (docker build -t epicase:latest . comes first), or by EPICASE_PYTHON, a Python that has epicase's packages.
set -eu
umask 077

die() { printf 'epicase: %s\n' "$*" >&2; exit 1; }

[ $# -eq 2 ] || die 'usage: sh deploy/make_secrets.sh FOLDER HOST'
checkout=$(cd "$(dirname "$0")/.." && pwd -P)
uid=${EPICASE_UID:-$(id -u)}
gid=${EPICASE_GID:-$(if [ -n "${EPICASE_UID:-}" ]; then echo "$EPICASE_UID"; else id -g; fi)}
[ "$uid" -ne 0 ] || die 'containers do not run as root: run this as another user, or set EPICASE_UID'
[ "$(id -u)" -eq "$uid" ] || [ "$(id -u)" -eq 0 ] || die "only root can give files to uid $uid"
mkdir -p "$1"
home=$(cd "$1" && pwd -P)
host=$2
case "$host" in *[!A-Za-z0-9.-]* | '') die "$host is no host name" ;; esac
case "$home/" in "$checkout"/*) die "$home lies inside the checkout: keys beside the source end up in images and archives" ;; esac
secrets=$home/secrets
mkdir -p "$secrets" "$home/caddy" "$home/checkpoints"

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# keep NAME VALUE: writes the file unless it is there.
keep() { [ -e "$secrets/$1" ] || printf '%s\n' "$2" >"$secrets/$1"; }

keep secret_key "$(random)"
keep postgres_password "$(random)"
keep admin_database_url "postgresql://postgres:$(cat "$secrets/postgres_password")@postgres:5432/postgres"
for login in owner app worker sealer; do
    keep "${login}_database_url" "postgresql://epi_$login:$(random)@postgres:5432/epicase"
done
if [ ! -e "$secrets/valkey.conf" ]; then
    password=$(random)
    keep valkey.conf "requirepass $password"
    rm -f "$secrets/redis_url"
    keep redis_url "redis://:$password@valkey:6379/0"
fi

give() { [ "$(id -u)" -ne 0 ] || chown -R "$uid:$gid" "$home"; }

give
if [ -n "${EPICASE_PYTHON:-}" ]; then
    (cd "$checkout" && "$EPICASE_PYTHON" -m epicase.make_keys "$secrets" --name "$host/ledger")
else
    docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges:true \
        --user "$uid:$gid" --volume "$secrets:/keys" "${EPICASE_IMAGE:-epicase:latest}" \
        python -m epicase.make_keys /keys --name "$host/ledger"
fi
give

env=${EPICASE_ENV_FILE:-$checkout/.env}
if [ -e "$env" ]; then
    printf 'epicase: %s is there already and stays as it is\n' "$env"
else
    printf 'EPICASE_HOST=%s\nEPICASE_HOME=%s\nEPICASE_UID=%s\nEPICASE_GID=%s\n' "$host" "$home" "$uid" "$gid" >"$env"
    printf 'epicase: wrote %s\n' "$env"
fi
printf 'epicase: the secrets are in %s. Keep a copy of keyring.json and audit_signing.key apart from the backups of the database.\n' "$secrets"

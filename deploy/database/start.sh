#!/bin/bash
# Start PostgreSQL: make its folder once, give each account its password, database and rights as they are to be now, run.
# The container's; $SONOVAN_DATABASE_…_PASSWORD are the accounts' passwords.
set -euo pipefail
umask 077
programs=(/usr/lib/postgresql/*/bin)
data=/data/cluster

for account in CATALOG CONSOLE READER; do
    name="SONOVAN_DATABASE_${account}_PASSWORD"
    # Only URL-safe characters: the value goes into the addresses by which others reach this server.
    [[ ${!name:-} =~ ^[A-Za-z0-9_-]{16,}$ ]] || { echo "$name: at least 16 of A-Z a-z 0-9 _ -" >&2; exit 2; }
done

if [[ ! -d $data ]]; then
    # Made beside its place, then moved: a power cut leaves no half.
    rm -rf "$data.making"
    "$programs/initdb" -D "$data.making" -U postgres -A peer -E UTF8 --locale=C.UTF-8 >/dev/null
    sync
    mv "$data.making" "$data"
fi
# Over the network each account reaches what is its own, by its password; the superuser comes from inside the container alone.
printf '%s\n' "local all postgres peer" \
    "host catalog catalog,console,sonovan_catalog_reader all scram-sha-256" \
    "host console console all scram-sha-256" >"$data/pg_hba.conf"

# Passwords change with .env. For that nobody else is let in yet, and a statement that fails is not logged, as it has one.
"$programs/pg_ctl" -D "$data" -w -s -l /dev/stderr \
    -o "-c listen_addresses= -c unix_socket_directories=/tmp -c log_min_error_statement=panic" start
"$programs/psql" -X -q -h /tmp -U postgres -v ON_ERROR_STOP=1 -f /etc/sonovan/accounts.sql postgres >/dev/null
"$programs/pg_ctl" -D "$data" -w -s -m fast stop

unset "${!SONOVAN_DATABASE_@}"
exec "$programs/postgres" -D "$data" -c jit=off -c listen_addresses='*' -c unix_socket_directories=/tmp

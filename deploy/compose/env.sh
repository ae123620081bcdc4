#!/bin/sh
# Write .env beside compose.yaml with a generated secret for every account. Never touches one that is there.
set -eu
cd "$(dirname "$0")/../.."
if [ -e .env ]; then
    echo ".env is there already; nothing changed" >&2
    exit 0
fi
umask 077
secret() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
{
    for account in ADMIN SEGMENT ASSESS ALERT CATALOG QUALITY REGISTRAR RETRIER READER OPERATOR CONSOLE PROMOTER; do
        echo "SONOVAN_KAFKA_${account}_PASSWORD=$(secret)"
    done
    for account in ROOT SEGMENT ASSESS ALERT CATALOG QUALITY RETRIER READER CONSOLE; do
        name=$(echo "$account" | tr '[:upper:]' '[:lower:]')
        echo "SONOVAN_S3_${account}_ACCESS_KEY=$name.$(secret)"
        echo "SONOVAN_S3_${account}_SECRET_KEY=$(secret)"
    done
    for account in CATALOG CONSOLE READER; do
        echo "SONOVAN_DATABASE_${account}_PASSWORD=$(secret)"
    done
    echo "SONOVAN_RECEIPTS_KEY=$(secret)"
    echo "SONOVAN_ALERT_WEBHOOK_SECRET=$(secret)"
    echo "# SONOVAN_ALERT_WEBHOOK_URL=https://…"
} >.env.new
mv .env.new .env
echo "wrote .env; keep it: the broker's accounts are made with it once" >&2

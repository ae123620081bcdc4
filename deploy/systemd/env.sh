#!/bin/sh
# Write /etc/sonovan/*.env (0600, root's) with a generated secret for every account. Never touches files that are there.
# sh env.sh [FOLDER]
set -eu
folder=${1:-/etc/sonovan}
if [ -e "$folder/kafka.env" ]; then
    echo "$folder/kafka.env is there already; nothing changed" >&2
    exit 0
fi
umask 077
mkdir -p "$folder"
secret() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
admin=$(secret) segment=$(secret) assess=$(secret) alert=$(secret) operator=$(secret) root=$(secret)

# NAME PASSWORD: how an account reaches the broker and the store.
reaching() {
    echo "SONOVAN_KAFKA_BOOTSTRAP=127.0.0.1:19092"
    echo "SONOVAN_KAFKA_USERNAME=$1"
    echo "SONOVAN_KAFKA_PASSWORD=$2"
    echo "SONOVAN_S3_ENDPOINT=127.0.0.1:9000"
    echo "SONOVAN_S3_ACCESS_KEY=sonovan"
    echo "SONOVAN_S3_SECRET_KEY=$root"
}
{
    echo "MINIO_ROOT_USER=sonovan"
    echo "MINIO_ROOT_PASSWORD=$root"
} >"$folder/minio.env"
reaching admin "$admin" >"$folder/setup.env"
for stage in segment assess alert; do
    eval "password=\$$stage"
    {
        reaching "$stage" "$password"
        echo "SONOVAN_INTENDED_USE=research"
    } >"$folder/$stage-1.env"
done
{
    echo "SONOVAN_ALERT_DATABASE_URL=sqlite:////var/lib/sonovan/outbox/outbox.sqlite"
    echo "# SONOVAN_ALERT_WEBHOOK_URL=https://…"
    echo "# SONOVAN_ALERT_WEBHOOK_SECRET=$(secret)"
} >>"$folder/alert-1.env"
# Written last: where it is there, all are.
{
    echo "SONOVAN_KAFKA_ADMIN_PASSWORD=$admin"
    echo "SONOVAN_KAFKA_SEGMENT_PASSWORD=$segment"
    echo "SONOVAN_KAFKA_ASSESS_PASSWORD=$assess"
    echo "SONOVAN_KAFKA_ALERT_PASSWORD=$alert"
    echo "SONOVAN_KAFKA_OPERATOR_PASSWORD=$operator"
} >"$folder/kafka.env.new"
mv "$folder/kafka.env.new" "$folder/kafka.env"
echo "wrote $folder/*.env; keep them: the broker's accounts are made with them once" >&2

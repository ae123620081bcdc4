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
admin=$(secret) segment=$(secret) assess=$(secret) alert=$(secret) catalog=$(secret) quality=$(secret)
registrar=$(secret) retrier=$(secret) reader=$(secret) operator=$(secret) console=$(secret) promoter=$(secret)
root_key=root.$(secret) root=$(secret)

# NAME PASSWORD ACCESS_KEY SECRET_KEY: how an account reaches the broker and the store.
reaching() {
    echo "SONOVAN_KAFKA_BOOTSTRAP=127.0.0.1:19092"
    echo "SONOVAN_KAFKA_USERNAME=$1"
    echo "SONOVAN_KAFKA_PASSWORD=$2"
    echo "SONOVAN_S3_ENDPOINT=127.0.0.1:9000"
    echo "SONOVAN_S3_ACCESS_KEY=$3"
    echo "SONOVAN_S3_SECRET_KEY=$4"
}
{
    echo "MINIO_ROOT_USER=$root_key"
    echo "MINIO_ROOT_PASSWORD=$root"
} >"$folder/minio.env"
# The setup alone has the store's root: it makes an account with a policy for every other one.
reaching admin "$admin" "$root_key" "$root" >"$folder/setup.env"
for account in segment assess alert catalog quality retrier reader console; do
    eval "password=\$$account"
    key=$account.$(secret) key_secret=$(secret)
    name=$(echo "$account" | tr '[:lower:]' '[:upper:]')
    {
        echo "SONOVAN_S3_${name}_ACCESS_KEY=$key"
        echo "SONOVAN_S3_${name}_SECRET_KEY=$key_secret"
    } >>"$folder/setup.env"
    file=$account-1 # of a worker; people's accounts have no service, and commands read their files
    case $account in retrier | reader | console) file=$account ;; esac
    {
        reaching "$account" "$password" "$key" "$key_secret"
        [ "$file" = "$account" ] || echo "SONOVAN_INTENDED_USE=research"
    } >"$folder/$file.env"
done
# These three have no account at the store.
for account in registrar operator promoter; do
    eval "password=\$$account"
    reaching "$account" "$password" "" "" | grep -v SONOVAN_S3_ >"$folder/$account.env"
done
# The key by which the centre signs its answers to vans: of the workers that answer, and of whoever enrols a van.
echo "SONOVAN_RECEIPTS_KEY=$(secret)" | tee -a "$folder/segment-1.env" "$folder/assess-1.env" >"$folder/receipts.env"
{
    echo "SONOVAN_ALERT_DATABASE_URL=sqlite:////var/lib/sonovan/outbox/outbox.sqlite"
    echo "# SONOVAN_ALERT_WEBHOOK_URL=https://…"
    echo "# SONOVAN_ALERT_WEBHOOK_SECRET=$(secret)"
} >>"$folder/alert-1.env"
{
    echo "SONOVAN_INTENDED_USE=research"
    echo "SONOVAN_CONSOLE_PORT=8600"
    echo "SONOVAN_CONSOLE_CATALOGUE_URL=sqlite:////var/lib/sonovan/workers/catalog-1/catalog.sqlite"
    echo "SONOVAN_CONSOLE_DATABASE_URL=sqlite:////var/lib/sonovan/console/console.sqlite"
    echo "SONOVAN_CONSOLE_KEY_FILE=/var/lib/sonovan/console/seal.key"
    echo "# SONOVAN_CONSOLE_ORIGIN=https://console.example"
} >>"$folder/console.env"
# Written last: where it is there, all are.
{
    echo "SONOVAN_KAFKA_ADMIN_PASSWORD=$admin"
    echo "SONOVAN_KAFKA_SEGMENT_PASSWORD=$segment"
    echo "SONOVAN_KAFKA_ASSESS_PASSWORD=$assess"
    echo "SONOVAN_KAFKA_ALERT_PASSWORD=$alert"
    echo "SONOVAN_KAFKA_CATALOG_PASSWORD=$catalog"
    echo "SONOVAN_KAFKA_QUALITY_PASSWORD=$quality"
    echo "SONOVAN_KAFKA_REGISTRAR_PASSWORD=$registrar"
    echo "SONOVAN_KAFKA_RETRIER_PASSWORD=$retrier"
    echo "SONOVAN_KAFKA_READER_PASSWORD=$reader"
    echo "SONOVAN_KAFKA_OPERATOR_PASSWORD=$operator"
    echo "SONOVAN_KAFKA_CONSOLE_PASSWORD=$console"
    echo "SONOVAN_KAFKA_PROMOTER_PASSWORD=$promoter"
    echo "# Where vans reach the broker, over TLS; on this machine alone until these lines say otherwise."
    echo "# SONOVAN_VANS_ADDRESS=0.0.0.0"
    echo "# SONOVAN_VANS_PORT=9094"
    echo "# SONOVAN_VANS_NAMES=centre.example,203.0.113.7"
} >"$folder/kafka.env.new"
mv "$folder/kafka.env.new" "$folder/kafka.env"
echo "wrote $folder/*.env; keep them: the broker's accounts are made with them once" >&2

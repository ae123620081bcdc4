#!/bin/sh
# Refuse a SONOVAN_ name in .env that compose.yaml does not take from it: compose itself would drop it without a word.
# check.sh ENV_FILE COMPOSE_FILE; exits 2 and names them all.
set -eu
unknown=
for name in $(sed -n 's/^[[:space:]]*\(export[[:space:]][[:space:]]*\)\{0,1\}\([Ss][Oo][Nn][Oo][Vv][Aa][Nn]_[A-Za-z0-9_]*\).*/\2/p' "$1"); do
    # Taken are ${NAME…} and an entry NAME: without a value.
    grep -Eq "\\\$\\{$name[:}]|^ *$name: *(#.*)?\$" "$2" || unknown="$unknown $name"
done
[ -z "$unknown" ] || { echo ".env: nothing reads$unknown; misspelt, or fixed in the containers?" >&2; exit 2; }

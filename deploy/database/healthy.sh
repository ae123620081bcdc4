#!/bin/bash
# Whether PostgreSQL takes connections from others: over the network, which the start, busy with accounts, does not open yet.
programs=(/usr/lib/postgresql/*/bin)
exec "$programs/pg_isready" -q -h 127.0.0.1 -U catalog -d catalog

#!/bin/sh
# Two roles, once, when the database is made: seal_owner owns the tables, seal is the service.
set -eu
{
    read -r owner
    read -r service
} < "${ROLES_PASSWORDS_FILE:-/run/secrets/roles.passwords}"
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=owner="$owner" --set=service="$service" \
    --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
CREATE ROLE seal_owner LOGIN PASSWORD :'owner';
CREATE ROLE seal LOGIN PASSWORD :'service';
CREATE DATABASE seal OWNER seal_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE seal FROM PUBLIC;
GRANT CONNECT ON DATABASE seal TO seal;
SQL

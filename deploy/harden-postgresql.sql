-- Freezes the tables of a seal service's database: no role but a superuser changes them, also not the role that owns
-- them. Without it that role is stopped from changing rows of the signing log, but not from removing what stops it.
--
-- Run by a superuser, in the database, after `seal init` or `seal db upgrade`; again as often as one likes:
--
--     psql --dbname seal --file deploy/harden-postgresql.sql
--
-- Before the next `seal db upgrade` it is lifted, and afterwards run again:
--
--     psql --dbname seal --set lift=yes --file deploy/harden-postgresql.sql
--
-- What it cannot stop: a superuser, and whoever has the server's files. The log's own chain and its witnesses tell then.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

DROP EVENT TRIGGER IF EXISTS seal_no_command;
DROP EVENT TRIGGER IF EXISTS seal_no_drop;
DROP EVENT TRIGGER IF EXISTS seal_no_rewrite;

\if :{?lift}
COMMIT;
\echo the tables can be changed by their owner: run seal db upgrade, then this script again
\else

SELECT tableowner AS owner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'sign_log' \gset
\if :{?owner}
\else
DO $$ BEGIN RAISE EXCEPTION 'this database has no signing log: run seal init first'; END $$;
\endif

DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'this is run by a superuser';
    END IF;
    IF (SELECT bool_or(rolsuper OR rolcreaterole) FROM pg_roles
        WHERE rolname = (SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'sign_log')) THEN
        RAISE EXCEPTION 'the tables belong to a role that can make itself anything: give them to one that cannot';
    END IF;
END $$;

-- The owner of a database can drop it, and event triggers are not asked: it is given to the superuser who runs this.
ALTER DATABASE :"DBNAME" OWNER TO CURRENT_USER;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"owner";
ALTER SCHEMA public OWNER TO :"owner";

-- Outside `public`, whose owner could drop it.
CREATE SCHEMA IF NOT EXISTS seal_hardening;
REVOKE ALL ON SCHEMA seal_hardening FROM PUBLIC;

CREATE OR REPLACE FUNCTION seal_hardening.refuse() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION '% is refused: the tables of the seal service are frozen', TG_TAG
            USING ERRCODE = 'insufficient_privilege', HINT = 'A superuser lifts this: deploy/harden-postgresql.sql';
    END IF;
END $$;

-- The first refuses all; the others also what should ever reach a table without passing the first.
CREATE EVENT TRIGGER seal_no_command ON ddl_command_start EXECUTE FUNCTION seal_hardening.refuse();
CREATE EVENT TRIGGER seal_no_drop ON sql_drop EXECUTE FUNCTION seal_hardening.refuse();
CREATE EVENT TRIGGER seal_no_rewrite ON table_rewrite EXECUTE FUNCTION seal_hardening.refuse();
ALTER EVENT TRIGGER seal_no_command ENABLE ALWAYS;
ALTER EVENT TRIGGER seal_no_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER seal_no_rewrite ENABLE ALWAYS;
COMMIT;
\echo the tables are frozen
\endif

-- Database, roles and limits of the service. Run by psql as a superuser, or as a role with
-- CREATEROLE and CREATEDB (managed servers), as often as you like:
--
--   psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=database=service \
--        --set=app_password="$APP" --set=migrator_password="$MIGRATOR" --file=roles.sql postgres
--
-- `service_name`, when it is not the database's name, is what SERVICE_NAME says.
-- A password may also be a SCRAM verifier ("SCRAM-SHA-256$..."), so that no plain text travels.
-- PostgreSQL 15 to 18.
--
-- Why on the roles: PgBouncer in transaction mode refuses (or silently drops) a client's
-- `options=-c statement_timeout=...`, while a role's settings reach every pooled connection.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
\if :{?service_name}
\else
\set service_name :database
\endif

SELECT 'CREATE ROLE ' || name
FROM (VALUES ('app'), ('migrator')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE app LOGIN PASSWORD :'app_password';
ALTER ROLE migrator LOGIN PASSWORD :'migrator_password';

-- A managed server's administrator must be a member to give migrator anything; a superuser is.
SELECT 'GRANT migrator TO CURRENT_USER'
WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
\gexec

-- app: what the service's processes are -------------------------------------------------------

-- A request is meant to end within 25 s, the pooler's limit is 7 s: a statement ends before either gives up on it.
ALTER ROLE app SET statement_timeout = '5s';
-- Less than the statement's 5 s, so that the error says "lock timeout" and names the waiting query.
ALTER ROLE app SET lock_timeout = '2s';
-- A request that ran out of time leaves by closing its connection; 1 s later its statement stops and
-- its locks are free. Without this the server works on until it has something to send.
ALTER ROLE app SET client_connection_check_interval = '1s';
-- A transaction that waits for something else holds its locks and one pooled connection: 10 s is
-- longer than any pause between two statements of a request (a garbage collection, a busy core).
-- Through PgBouncer its query_timeout, 7 s, ends such a transaction first.
ALTER ROLE app SET idle_in_transaction_session_timeout = '10s';
-- What every connection of the service asks for anyway. As the role's defaults they survive the
-- pooler's DISCARD ALL; otherwise PgBouncer sets them again before each transaction, a round trip.
ALTER ROLE app SET timezone = 'UTC';
ALTER ROLE app SET application_name = :'service_name';

-- migrator: owns the schema, connects directly, is used by one release at a time ---------------

-- DDL queues behind a running query, and every later query of the table queues behind the DDL: so
-- long does a request wait, and with half a second of its own it stays below one. The migration gives
-- way and is tried again (core/migrate). Longer than a statement of a request commonly takes, or it
-- would never come to its turn.
ALTER ROLE migrator SET lock_timeout = '500ms';
-- An index that is built for a process that was killed is given up, with its locks, after 1 s.
ALTER ROLE migrator SET client_connection_check_interval = '1s';
-- 30 min: an index built CONCURRENTLY on some 100 million rows. Longer ones: PGOPTIONS for that run.
ALTER ROLE migrator SET statement_timeout = '30min';
-- 5 min: RunPython may compute between two statements; a lost release must not hold locks all night.
ALTER ROLE migrator SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE migrator SET timezone = 'UTC';

-- database ------------------------------------------------------------------------------------

SELECT format('CREATE DATABASE %I OWNER migrator ENCODING %L TEMPLATE template0', :'database', 'UTF8')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

ALTER DATABASE :"database" OWNER TO migrator;
-- PUBLIC may connect and make temporary tables by default. Behind a pooler a temporary table is
-- seen by the next client of the same connection, so app is not given that right either.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO app, pg_monitor;

\connect :"database"
SET client_min_messages = warning;

-- Databases made before PostgreSQL 15 let everyone create tables in public.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO app;
GRANT USAGE, CREATE ON SCHEMA public TO migrator;

-- Rows, never tables: a table that migrator makes tomorrow is usable at once, and no more than that.
ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO app;
-- The same for tables that were there before this file.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app;

-- The next login of the service, with a password of its own: how a password is rotated while the
-- old one still works (docs/operations/rotate-secrets.md). Run by psql as roles.sql is:
--
--   psql --no-psqlrc --set=role=app_b --set=password="$NEW" --file=next-role.sql service
--
-- `role` is app_b after app, and app after app_b. Whoever logs in may what app may, under app's
-- limits, which are copied: a role's settings are not inherited. Run roles.sql first, and this again
-- after it. PostgreSQL has one password for a role, so one role cannot have an old and a new one.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role')
\gexec

ALTER ROLE :"role" LOGIN PASSWORD :'password';

SELECT format('GRANT app TO %I', :'role') WHERE :'role' <> 'app'
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'role')
\gexec

SELECT format('ALTER ROLE %I SET %s = %L', :'role', split_part(setting, '=', 1),
              substr(setting, strpos(setting, '=') + 1))
FROM pg_roles, unnest(rolconfig) AS setting
WHERE rolname = 'app' AND :'role' <> 'app'
\gexec

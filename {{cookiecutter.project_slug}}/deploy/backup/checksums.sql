-- One line for each table: its name, its rows, and a sum that changes with any value of any of them,
-- whatever their order. Run by dump.sh in the dump's own snapshot, and again on what was restored.
-- 60 bits of MD5 a row: against a bad restore, not against a forger.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 3;
SELECT format(
    'SELECT %L, count(*), coalesce(sum((''x'' || left(md5(row::text), 15))::bit(60)::bigint::numeric), 0) '
    'FROM ONLY %I.%I AS row',
    nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
ORDER BY nspname COLLATE "C", relname COLLATE "C"
\gexec

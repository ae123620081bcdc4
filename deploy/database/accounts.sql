-- Who may do what: catalog owns the catalogue, console owns its own database and reads the catalogue, and
-- sonovan_catalog_reader reads the views that the catalogue gives it. Run at every start; the passwords come from the environment.
\getenv catalog SONOVAN_DATABASE_CATALOG_PASSWORD
\getenv console SONOVAN_DATABASE_CONSOLE_PASSWORD
\getenv reader SONOVAN_DATABASE_READER_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['catalog', 'console', 'sonovan_catalog_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE catalog PASSWORD :'catalog';
ALTER ROLE console PASSWORD :'console';
ALTER ROLE sonovan_catalog_reader PASSWORD :'reader';

SELECT format('CREATE DATABASE %1$I OWNER %1$I', name)
FROM unnest(ARRAY['catalog', 'console']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE catalog, console, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE catalog TO console, sonovan_catalog_reader;

\connect catalog
ALTER DEFAULT PRIVILEGES FOR ROLE catalog GRANT USAGE ON SCHEMAS TO console;
ALTER DEFAULT PRIVILEGES FOR ROLE catalog GRANT SELECT ON TABLES TO console;

-- Roles and databases of the development stack. Statements end with a semicolon and an empty line:
-- the native stack feeds this file to `postgres --single -j`, docker compose to psql.

-- CREATEDB: database tests make a database each.
CREATE ROLE gistmill_owner LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOBYPASSRLS;

CREATE ROLE gistmill_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;

CREATE ROLE registry LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;

CREATE DATABASE gistmill OWNER gistmill_owner;

CREATE DATABASE registry OWNER registry;


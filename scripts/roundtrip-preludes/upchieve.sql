-- The roles that own the materialized views, here and there, are made by other means.
create role mat_view_owners;
create role subway;

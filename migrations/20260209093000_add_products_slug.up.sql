-- Stays empty for a product that code of the release before adds; the page then goes by the sku.
alter table products add column slug varchar(120);

update products set slug = lower(replace(replace(title, ',', ''), ' ', '-')) where slug is null;

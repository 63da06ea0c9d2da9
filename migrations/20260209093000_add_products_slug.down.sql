alter table products drop column slug;

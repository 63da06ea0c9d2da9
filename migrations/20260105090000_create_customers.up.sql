-- Ids are made by the application.
create table customers (
    id bigint not null primary key,
    email varchar(254) not null,
    name varchar(120) not null,
    created_at timestamp not null default current_timestamp,
    constraint customers_email_key unique (email)
);

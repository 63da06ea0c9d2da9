-- Money is in cents, so that nothing is ever rounded.
create table products (
    sku varchar(40) not null primary key,
    title varchar(120) not null,
    price_cents bigint not null,
    constraint products_price_cents_check check (price_cents >= 0)
);

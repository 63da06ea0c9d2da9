create table shipping_methods (
    code varchar(20) not null primary key,
    title varchar(80) not null,
    price_cents bigint not null
);

insert into shipping_methods (code, title, price_cents) values
    ('standard', 'Parcel, three to five days', 490),
    ('express', 'Parcel, next day', 990),
    ('pickup', 'Collected at the shop', 0);

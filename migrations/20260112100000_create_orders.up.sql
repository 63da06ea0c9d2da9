create table orders (
    id bigint not null primary key,
    customer_id bigint not null,
    placed_at timestamp not null default current_timestamp,
    constraint orders_customer_id_fkey foreign key (customer_id) references customers (id)
);

create index orders_customer_id_placed_at_idx on orders (customer_id, placed_at);

-- The price is the one of the day on which the order was placed.
create table order_lines (
    order_id bigint not null,
    line integer not null,
    sku varchar(40) not null,
    quantity integer not null,
    unit_price_cents bigint not null,
    primary key (order_id, line),
    constraint order_lines_order_id_fkey foreign key (order_id) references orders (id) on delete cascade,
    constraint order_lines_sku_fkey foreign key (sku) references products (sku),
    constraint order_lines_quantity_check check (quantity > 0)
);

create index order_lines_sku_idx on order_lines (sku);

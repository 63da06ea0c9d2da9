create table stock_movements (
    id bigint not null primary key,
    sku varchar(40) not null,
    quantity integer not null,
    reason varchar(40) not null,
    moved_at timestamp not null default current_timestamp,
    constraint stock_movements_sku_fkey foreign key (sku) references products (sku)
);

create index stock_movements_sku_idx on stock_movements (sku);

-- What was counted on the day on which the shop began to count.
insert into stock_movements (id, sku, quantity, reason) values
    (1, 'TEA-ASSAM-100', 40, 'count'),
    (2, 'TEA-SENCHA-100', 25, 'count'),
    (3, 'TEA-MINT-050', 60, 'count'),
    (4, 'POT-GLASS-1L', 8, 'count'),
    (5, 'CUP-CLAY-02', 12, 'count');

create view stock_levels as
select sku, sum(quantity) as quantity
from stock_movements
group by sku;

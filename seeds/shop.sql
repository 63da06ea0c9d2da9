-- A few customers and orders, to look at. Run as often as you like: what is there stays as it is.

insert into customers (id, email, name)
select 1, 'ada@example.com', 'Ada Holm' where not exists (select 1 from customers where id = 1);

insert into customers (id, email, name)
select 2, 'ben@example.com', 'Ben Okafor' where not exists (select 1 from customers where id = 2);

insert into customers (id, email, name)
select 3, 'chiara@example.com', 'Chiara Neri' where not exists (select 1 from customers where id = 3);

insert into orders (id, customer_id, shipping_code)
select 1, 1, 'express' where not exists (select 1 from orders where id = 1);

insert into orders (id, customer_id, shipping_code)
select 2, 3, 'pickup' where not exists (select 1 from orders where id = 2);

insert into order_lines (order_id, line, sku, quantity, unit_price_cents)
select 1, 1, sku, 2, price_cents from products
where sku = 'TEA-ASSAM-100' and not exists (select 1 from order_lines where order_id = 1 and line = 1);

insert into order_lines (order_id, line, sku, quantity, unit_price_cents)
select 1, 2, sku, 1, price_cents from products
where sku = 'POT-GLASS-1L' and not exists (select 1 from order_lines where order_id = 1 and line = 2);

insert into order_lines (order_id, line, sku, quantity, unit_price_cents)
select 2, 1, sku, 3, price_cents from products
where sku = 'TEA-MINT-050' and not exists (select 1 from order_lines where order_id = 2 and line = 1);

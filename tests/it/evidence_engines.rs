//! Queries of a shop on MySQL and on SQLite at each of its migrations: what is told of them from the files beside what
//! the engine says when it prepares them.

use twostep::db::scratch::Wish;
use twostep::dialect::Dialect;

use crate::evidence_projects::compare;
use crate::servers::mariadb;
use crate::twostep::Project;

/// What both engines take. `KEY` is a key that numbers itself.
const MIGRATIONS: &[&str] = &[
    "create table customers (id KEY, email varchar(120) not null unique, name varchar(80), city varchar(60),
        created_at timestamp default current_timestamp);
     create table products (id KEY, sku varchar(40) not null, title varchar(200) not null, price decimal(10, 2) not null,
        stock int not null default 0);
     create unique index products_sku on products (sku);
     create table orders (id KEY, customer_id bigint not null, status varchar(20) not null default 'new', total decimal(10, 2));
     create table items (order_id bigint not null, product_id bigint not null, amount int not null default 1,
        primary key (order_id, product_id));",
    "alter table customers add column phone varchar(40);
     create view open_orders as select o.id, o.customer_id, c.email from orders o join customers c on c.id = o.customer_id
        where o.status = 'new';",
    "create table payments (id KEY, order_id bigint not null, paid decimal(10, 2) not null, note text);
     create index payments_order on payments (order_id);",
    "alter table customers rename column name to full_name;",
    "alter table products add column weight int; create table tags (product_id bigint not null, tag varchar(40) not null,
        primary key (product_id, tag));",
    "drop view open_orders; alter table customers drop column city;",
    "alter table payments rename to receipts;",
];

const QUERIES: &[&str] = &[
    "select id, email from customers where id = ?",
    "select * from customers",
    "select name from customers order by name limit ?",
    "select full_name from customers where full_name like ?",
    "select city, count(*) from customers group by city having count(*) > ?",
    "select c.id, c.city from customers c where c.city in (?, ?)",
    "select c.email, o.id, o.total from customers c join orders o on o.customer_id = c.id where o.status = ?",
    "select c.*, o.total from customers c left join orders o on o.customer_id = c.id",
    "select email from open_orders where customer_id = ?",
    "select * from open_orders",
    "select id, phone from customers where phone is not null",
    "select o.id, (select sum(i.amount * p.price) from items i join products p on p.id = i.product_id where i.order_id = o.id) as worth from orders o",
    "select p.sku from products p where not exists (select 1 from items i where i.product_id = p.id)",
    "select p.title, t.tag from products p join tags t on t.product_id = p.id",
    "select sku, weight from products where weight > ?",
    "with best as (select product_id, sum(amount) as n from items group by product_id) select p.title, best.n from best join products p on p.id = best.product_id order by best.n desc",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n from r",
    "select sum(paid) from payments where order_id = ?",
    "select sum(paid) from receipts where order_id = ?",
    "select o.id from orders o left join payments p on p.order_id = o.id where p.id is null",
    "select id, row_number() over (partition by customer_id order by id) as place from orders",
    "select case when stock > 0 then 'yes' else 'no' end as there from products",
    "select distinct status from orders union select tag from tags order by 1",
    "select coalesce(phone, email) as reach from customers",
    "select x.n from (select customer_id, count(*) as n from orders group by customer_id) x where x.n > ?",
    "select upper(title), length(sku) from products where price between ? and ?",
    "select i.amount from items i natural join (select id as order_id from orders) o",
    "select order_id, amount from items join orders on orders.id = items.order_id where orders.nope = ?",
    "select nobody.id from customers",
    "select id from customers, orders",
    "select count(*) from nowhere",
    "insert into customers (email, name) values (?, ?)",
    "insert into customers (email, full_name, phone) values (?, ?, ?)",
    "insert into customers (email, city) values (?, 'Rome'), (?, 'Paris')",
    "insert into orders (customer_id, status, total) select id, 'new', 0 from customers where email = ?",
    "insert into items values (?, ?, ?)",
    "insert into items values (?, ?)",
    "insert into tags (product_id, tag) values (?, ?)",
    "insert into payments (order_id, paid) values (?, ?)",
    "insert into receipts (order_id, paid, note) values (?, ?, ?)",
    "insert into products (sku, title, price, colour) values (?, ?, ?, ?)",
    "update customers set email = ? where id = ?",
    "update customers set name = ?, city = ? where id = ?",
    "update customers set full_name = upper(full_name)",
    "update products set stock = stock - ? where id = ? and stock >= ?",
    "update orders set total = (select sum(i.amount * p.price) from items i join products p on p.id = i.product_id where i.order_id = orders.id)",
    "update products set weight = ? where sku = ?",
    "update payments set note = null where id = ?",
    "delete from customers where id = ?",
    "delete from items where order_id in (select id from orders where status = ?)",
    "delete from tags where tag = ?",
    "delete from payments where paid < ?",
    "delete from orders where nope = ?",
];

const MYSQL: &[&str] = &[
    "insert into customers set email = ?, phone = ?",
    "insert into products (sku, title, price) values (?, ?, ?) on duplicate key update title = values(title), stock = stock + 1",
    "insert ignore into tags (product_id, tag) values (?, ?)",
    "replace into items (order_id, product_id, amount) values (?, ?, ?)",
    "update orders o join customers c on c.id = o.customer_id set o.status = ? where c.email = ?",
    "delete o from orders o join customers c on c.id = o.customer_id where c.city = ?",
    "select id, date_format(created_at, '%Y-%m') as month from customers",
    "select group_concat(title order by title separator ', ') from products",
    "select id from orders where total > ? for update",
    "select `id`, `full_name` from `customers` force index (primary)",
    "select id, ifnull(phone, '') from customers limit ?, ?",
    "select straight_join c.id from customers c, orders o where o.customer_id = c.id and o.total is not null",
];

const SQLITE: &[&str] = &[
    "insert into products (sku, title, price) values (?, ?, ?) on conflict (sku) do update set title = excluded.title",
    "insert into customers (email) values (?) on conflict (phone) do nothing",
    "insert or ignore into tags (product_id, tag) values (?, ?)",
    "replace into items (order_id, product_id, amount) values (?, ?, ?)",
    "insert into orders (customer_id) values (?) returning id, status",
    "update products set stock = i.n from (select product_id, sum(amount) as n from items group by product_id) i where i.product_id = products.id",
    "delete from customers where id = ? returning email, city",
    "select rowid, email from customers",
    "select strftime('%Y', created_at) from customers",
    "select group_concat(tag, ', ') from tags group by product_id",
    "select ifnull(phone, '') from customers limit ? offset ?",
    "select [id], \"full_name\" from \"customers\"",
];

/// `different`: how often the engine says something else, for a reason that is known.
fn check(dialect: Dialect, key: &str, own: &[&str], different: usize) {
    let project = Project::new();
    for (number, sql) in MIGRATIONS.iter().enumerate() {
        project.write(&format!("migrations/{}_shop.sql", number + 1), sql.replace("KEY", key));
    }
    let queries: Vec<String> = QUERIES.iter().chain(own).map(|sql| (*sql).to_owned()).collect();
    let sum = compare(dialect.id(), &project.path(""), dialect, &queries, &Wish::Private(dialect));
    assert_eq!(sum.asked, queries.len() * MIGRATIONS.len(), "each query at each migration");
    assert_eq!(sum.certain, queries.len(), "each is resolved without a server");
    assert_eq!(sum.agreed + different, sum.asked, "the engine says the same; what differs stands above");
    assert!(sum.refused > sum.asked / 10, "{} of {} are refused", sum.refused, sum.asked);
}

#[test]
fn sqlite_says_the_same_of_a_shop() {
    // A name in double quotes that nothing has is a string: the last query works without its column, and gives the
    // column's name three times, before the rename has made it. That it fails is the better answer.
    check(Dialect::Sqlite, "integer primary key", SQLITE, 3);
}

#[test]
fn mariadb_says_the_same_of_a_shop() {
    if mariadb().is_some() {
        check(Dialect::Mysql, "bigint auto_increment primary key", MYSQL, 0);
    }
}

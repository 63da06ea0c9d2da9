create table users (
    id integer primary key autoincrement,
    email text not null unique,
    name varchar(100) default 'nobody',
    score numeric(8,2) not null default 0
);
create table orders (
    id integer not null,
    user_id integer references users (id) on delete cascade,
    total int,
    double_total int generated always as (total * 2) virtual,
    primary key (id, user_id),
    unique (total, user_id)
) without rowid;
alter table users add column age int default 18;
alter table users rename column name to full_name;
create index users_full_name on users (full_name collate nocase) where age > 3;
create unique index users_score on users (score, age);
create index users_lower on users (lower(email));
create table tags (order_id int, tag text);
insert into tags values (1, 'a');
create table tags_new (order_id int not null, tag text not null default '-', foreign key (order_id) references orders (id));
insert into tags_new select * from tags;
drop table tags;
alter table tags_new rename to tags;
create index tags_order on tags (order_id);
alter table tags add column extra text;
alter table tags drop column extra;
create trigger users_seen after update on users begin update users set score = 1 where id = new.id; end;
create view names as select id, full_name from users;

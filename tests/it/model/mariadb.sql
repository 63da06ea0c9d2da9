create table users (
    id bigint unsigned not null auto_increment primary key,
    email varchar(255) not null,
    name varchar(100) default 'nobody',
    score decimal(8,2) not null default 0,
    state enum('new', 'old') not null default 'new',
    seen timestamp(6) not null default current_timestamp(6),
    unique key users_email (email),
    key users_name (name(20))
) engine=innodb default charset=utf8mb4;
create table orders (
    id int not null,
    user_id bigint unsigned,
    total int,
    note text,
    double_total int generated always as (total * 2) virtual,
    primary key (id),
    constraint orders_user foreign key (user_id) references users (id) on delete cascade
);
create table tags (order_id int not null, tag varchar(40) not null, flag boolean not null default true);
alter table tags add primary key (order_id, tag), add index tags_tag (tag), add foreign key (order_id) references orders (id);
alter table users add column age int after name, add column first int first, drop column score;
alter table users modify email varchar(200) not null, change name full_name varchar(120) null;
alter table users alter column full_name set default 'somebody', rename index users_name to users_full_name;
alter table orders drop foreign key orders_user, add constraint orders_users foreign key (user_id) references users (id) on delete set null;
alter table orders drop column note, modify total bigint not null default 5;
create unique index orders_total on orders (total, user_id);
drop index users_email on users;
alter table tags convert to character set utf8mb4;
create table copies like users;
rename table copies to old_users;
alter table old_users drop primary key, modify id bigint unsigned not null, drop column age;
create trigger orders_filled before insert on orders for each row set new.total = coalesce(new.total, 1);
create view totals as select user_id, sum(total) as total from orders group by user_id;
create table gone (id int);
drop table gone;

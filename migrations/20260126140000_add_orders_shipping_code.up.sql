-- Orders of code that does not know the column yet are sent as they were: by standard parcel.
alter table orders add column shipping_code varchar(20) not null default 'standard';

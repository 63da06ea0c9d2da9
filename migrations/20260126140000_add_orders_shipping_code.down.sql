alter table orders drop column shipping_code;

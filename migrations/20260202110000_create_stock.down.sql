drop view stock_levels;
drop table stock_movements;

insert into products (sku, title, price_cents) values
    ('TEA-ASSAM-100', 'Assam Second Flush', 890),
    ('TEA-SENCHA-100', 'Sencha Organic', 1290),
    ('TEA-MINT-050', 'Nana Mint', 450),
    ('POT-GLASS-1L', 'Glass Teapot', 3400),
    ('CUP-CLAY-02', 'Clay Cups, Set of Two', 1900);

delete from products
where sku in ('TEA-ASSAM-100', 'TEA-SENCHA-100', 'TEA-MINT-050', 'POT-GLASS-1L', 'CUP-CLAY-02');

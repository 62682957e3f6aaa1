"""What can be sold: products, barcodes, dated prices, tax classes, promotions, quick keys.

`scan` turns any scanned code into a product; `edition` and `offers` publish the catalogue to stores.
"""

"""Suppliers' invoices, credit notes and shipping notices: read from a file, matched with order and receipt, settled."""

"""Suppliers' notes on paper: photographed, read, matched with products, confirmed by a person, then a document."""

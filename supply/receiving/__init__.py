"""Goods that arrive at a store: advised, counted, posted; goods on consignment."""

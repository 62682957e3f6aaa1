"""Suppliers' files that come by themselves: out of a mailbox, out of a folder."""

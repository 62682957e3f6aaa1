"""Pages of the till: selling, shifts, the drawer, payments, quick keys."""

"""The store and the people in it: stores, tills, staff, PINs, badges, roles and what each may do."""

"""The store and the people in it: tills, staff, roles and permissions, PINs, badges, second factors, sessions."""

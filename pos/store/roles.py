"""The roles people have at a store and at the network, by name; what each may do says `permissions`."""

STORE_ROLES = ("cashier", "supervisor", "shopkeeper")
NETWORK_ROLES = ("operator", "buyer", "warehouse", "finance", "support", "reader")
STAFF_ROLES = STORE_ROLES + NETWORK_ROLES

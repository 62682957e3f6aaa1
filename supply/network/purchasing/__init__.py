"""The network's own purchasing: requirements, purchases, messages to suppliers."""

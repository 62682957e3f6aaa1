"""The network's own purchasing: requirements, purchases, letters to suppliers."""

"""What customers see online: the store, its products, prices, time slots and fees, availability, reviews."""

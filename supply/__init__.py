"""Getting goods, and putting them where they sell: demand, replenishment, deliveries, shelf, pickup."""

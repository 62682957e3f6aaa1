"""Getting goods, and putting them where they sell.

Reading order: suppliers, demand, forecasts, policy, replenishment, orders, warehouse, allocation, receiving, push,
shelf, shop, pickup, facts, replica, checks.
"""

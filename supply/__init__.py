"""Getting goods, and putting them where they sell.

Reading order: suppliers, demand, forecasts, needs and policy, replenishment, orders, deliveries and receiving;
warehouse, allocation and push at the network; shelf and its ranking; store, placing, pickup_order, pickup and handover
for what is ordered online; facts and online_facts with their replicas between the nodes; checks; overview for the
operator.
"""

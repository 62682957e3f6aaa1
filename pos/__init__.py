"""The shop and its counter.

Reading order: store, catalogue, pricing, stock, shift, payments, sale, facts, receipt, printer, replica, checks.
`stock` is here and not in `supply` because it is *what is in the shop*, and the counter writes it most.
"""

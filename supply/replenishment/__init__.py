"""What a store should order: candidates, requirements, the policy, budgets, proposals, upcoming stock-outs.

`policy` and `sourcing` are PURE; `proposals` writes the orders; `replay` and `order_simulation` try them out.
"""

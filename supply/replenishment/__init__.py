"""What a store should order: candidates, requirements, the policy, budgets, proposals.

`policy`, `sourcing` and `budget` are PURE; `proposals` writes the orders; `replay` and `order_simulation` try them out.
"""

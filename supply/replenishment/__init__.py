"""What a store should order: candidates, requirements, the policy, budgets, proposals, upcoming stock-outs.

`look` reads, `decide` and `policy` are PURE, `proposals` writes; `replay` and `order_simulation` try them out.
"""

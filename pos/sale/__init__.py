"""From a basket to a completed sale, and back: quoting, paying, returns, exchanges, refunds.

In three strokes: `situation` looks, `sale` and `returns` decide (PURE), `draft` writes, leaving the rows of `pos.sold`.
"""

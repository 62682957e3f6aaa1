"""From a basket to a completed sale, and back: quoting, paying, returns, exchanges, refunds.

`sale` completes, `returns` takes goods back; both leave the rows of `pos.sold`.
"""

"""What a basket costs and what promotions save. PURE: no database, no clock, no web.

Read `pricing` first, then `promises` (what a promotion is) and `promotions` (which ones apply).
"""

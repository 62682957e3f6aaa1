"""A written shopping list becomes products, or a question for each line. PURE: no database, no clock, no web.

Read `message` first (a message becomes lines), then `matching` (a line becomes a product), `amounts` (how much of it);
`vocabulary` and `staples` have the words.
"""

"""The store and its counter.

Reading order: store, catalogue, pricing, stock (its book: ledger), shift, payments, sale, returns, facts, replica,
checks. Then paper: receipt, account_paper, goods_paper and labels say what stands on it, slips freezes what is asked
for, paper and glyphs say how wide it is, pdf and letters make it A4 pages, code_pages and encoding make it bytes
for a printer_model; printer queues it, printer_book knows the store's printers, printing works the queue off by
wires, preview draws the bytes. `stock` is here and not in `supply` because it is *what is in the store*, and the
counter writes it most.
"""

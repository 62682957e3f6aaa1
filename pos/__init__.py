"""The store and its counter.

Reading order: store, catalogue, pricing, stock (its book: ledger), shift, payments, sale, returns, facts, replica,
checks. Then documents/: receipt, accounts, goods and labels say what is printed, paper and glyphs how wide it is, pdf
and letters make it A4 pages; reports/slips freezes what is asked for. In printing/ escpos makes it bytes for one of the
models, queue queues it, printers knows the store's printers, print_worker works the queue off by wires, preview draws
the bytes. `stock` is here and not in `supply` because it is *what is in the store*, and the counter writes it most.
"""

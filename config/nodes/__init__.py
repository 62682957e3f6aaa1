"""What nodes of the network share: identity, facts on their way, the journal, signatures.

`node` says which node this is; `facts` declares what nodes tell each other, `outbox` sends it, `inbox` takes it once,
`door` reads what another node reported; `publication` versions the network's editions; `journal` and `append_only` keep
the books honest, `anchor` remembers another node's journal; `signing` and `signing_keys` prove who speaks; `bell` wakes
whoever waits for work; `partitions` splits the network's large tables by week.
"""

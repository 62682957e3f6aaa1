"""Facts between nodes: the wire, the receiver on the network, the sender on a store, and what is published.

Rules
-----
1. A store asks, the network answers; a store needs no address of its own. Push: `POST /api/sync/messages`; pull:
   `GET /api/sync/messages`; editions: `GET /api/sync/publications[/KIND]`.
2. Which store speaks is known from its key alone.
3. Confirmed is what a JSON answer names by id with the same content hash, and nothing else.
4. Every contact compares count and head of the sender's epoch; what the other side lost is sent again.
5. A push carries the network's last nonce and a token drawn with it. A repeated token is a lost answer; an old nonce
   with another token is a copy or a restored database: a new epoch begins, the rows are taken all the same.
6. A store's forecast is an edition the other way, whole and no fact: the list of editions says which run the network
   has, and where the store's is newer it goes there (`POST /api/sync/forecast`). A network that says nothing of it is
   told none.
"""

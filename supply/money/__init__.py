"""Money between the network, its stores and their customers: ledger, credit, escrow, payouts, points, consignment."""

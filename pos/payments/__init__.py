"""How a sale is paid: tenders, card terminals and wallets, requests to them and what they answered."""

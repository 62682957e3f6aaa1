"""How a sale is paid: tenders, vouchers, card terminals and wallets, requests to them and what they answered."""

"""Messages to customers: campaigns, referrals, letters."""

"""Messages to customers: campaigns, referrals, messages."""

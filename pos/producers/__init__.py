"""Local producers whose goods the store sells on commission: lots, what they are owed, payouts."""

"""The bestseller shelf: ranking, plan, weekly swaps, and what it brings."""

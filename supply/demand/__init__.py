"""What sold and what will: history, roll-ups, forecast runs, holidays, weather, campaigns.

`plausibility` holds what a store of its size can hardly have sold.
"""

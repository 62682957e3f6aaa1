"""What sold and what will: history, roll-ups, forecast runs, holidays, weather, promotions."""

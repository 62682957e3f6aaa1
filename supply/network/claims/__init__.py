"""Claims of stores about deliveries: photos, answers, goods that come back."""

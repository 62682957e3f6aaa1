"""Placing an online order: codes, consent, limits on unpaid orders."""

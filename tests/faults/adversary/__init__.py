"""Attacks: what a hostile cashier, stranger, store or network tried, each as a test that the hole stays closed."""

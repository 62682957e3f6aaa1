"""Distances and the order of stops: PyVRP for vehicles, exact for a few doors. PURE."""

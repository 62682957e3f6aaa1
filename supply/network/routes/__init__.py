"""Delivery routes: vehicles, distances, the plan of a day, stops."""

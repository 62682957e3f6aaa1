"""Goods from one store to a neighbor: proposals, agreement, handover, money."""

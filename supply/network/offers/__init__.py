"""Campaigns over many stores, and what became of campaigns and offers."""

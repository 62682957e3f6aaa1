"""The practice store: real screens on books of their own, and the lessons."""

"""Figures over sales, and documents somebody asks for again: reports, statements, slips, mailed receipts."""

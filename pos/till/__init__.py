"""The till and its drawer: shifts, cash movements, X and Z reports, the scale."""

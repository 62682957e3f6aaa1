"""A store as a member: level, benchmarks, suggestions, training, support, the operator's overview."""

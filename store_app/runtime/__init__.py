"""What every process of a node opens first: database doors, tables, the record of jobs, child processes."""

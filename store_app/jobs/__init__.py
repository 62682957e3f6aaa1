"""One table of jobs (`jobs`), their functions, and the worker that runs them."""

"""The interface for partners' programs, `/api/v1`: one table of resources, one feed, and the routes made from both."""

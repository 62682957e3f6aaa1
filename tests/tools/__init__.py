"""Tools the tests are made with: a virtual receipt printer, and a corpus of hostile input."""

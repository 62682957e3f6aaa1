"""Pages of the network's operator."""

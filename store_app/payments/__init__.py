"""Payment services behind the till's protocol: providers, the network's points, escrow."""

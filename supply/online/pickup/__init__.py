"""From a placed order to its handover, at the counter or the door: picking, returns, no-shows, escrow release."""

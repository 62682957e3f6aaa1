"""Payment services on this computer: they check what they are asked as the real ones document it, and misbehave."""

"""What a change brought: measured uplift, and fair trials of new products."""

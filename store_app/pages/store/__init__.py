"""Pages of the store itself: people, sign-in, printers, settings, finance, training, reports."""

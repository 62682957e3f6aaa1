"""Outgoing messages, rendered and sent: receipts, letters to suppliers, words to customers, and who carries them."""

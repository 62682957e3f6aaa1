"""Outgoing messages, rendered and sent: receipts, messages to suppliers, words to customers, and who carries them."""

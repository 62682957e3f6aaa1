"""Outgoing mail: receipts, letters to suppliers, messages to customers, and who carries them."""

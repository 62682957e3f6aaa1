"""Every sentence made from a code: refusals, reasons, states; in the reader's language."""

"""Printed documents as lines of paper: receipts, reports, labels, slips, A4 pages. PURE."""

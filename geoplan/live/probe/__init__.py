"""What one real unit confirms or contradicts of the ledger of facts; it only reads."""

"""What a ledger holds, as tables for people."""

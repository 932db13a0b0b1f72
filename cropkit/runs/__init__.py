"""What a batch leaves of each run: its record, its report, and the list of all of them."""

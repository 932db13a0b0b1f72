"""Keys, pointer and wheel become moves."""

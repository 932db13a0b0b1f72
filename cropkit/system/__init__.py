"""The operating system: files, locks, signals, the log; and every name beneath `.cropkit`."""

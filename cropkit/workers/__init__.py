"""Processes of their own that read and write images for a review; neither shows anything."""

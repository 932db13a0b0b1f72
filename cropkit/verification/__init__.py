"""Proof of a data set from the outside: manifest, crops and sources, and nothing of any trail.

Nothing here is told by who wrote the crops. Files are decoded by Pillow, tifffile and imagecodecs,
samples are compared by NumPy; boxes, turns and sizes are worked out anew. Nothing is ever written.
"""

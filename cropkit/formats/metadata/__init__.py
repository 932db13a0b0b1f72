"""Metadata that several containers carry: EXIF, XMP, Photoshop blocks, pictures inside them."""

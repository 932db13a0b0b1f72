"""Boxes in the files of other tools: which format they are in, what they say, whose they are.

Each format has a module, which reads a document into `Label`; `files` finds the format by content,
`matching` the image by name, and `labelled` answers for one image as every suggester does. What
was imported into a collection is kept by `store`. A crop needs none of it, so
that nothing is loaded here.
"""

"""Lossless JPEG crops: DCT coefficients copied by a libjpeg that runs in a process of its own.

``process`` asks, ``worker`` answers, and nothing that libjpeg does can end the process that asks.
"""

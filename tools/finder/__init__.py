"""The two networks that find digits on a page: what they are, what they are trained on, and how well they do.

``networks``, ``losses``, ``examples`` (with ``cells`` for the detector and ``views`` for the reader) and ``figures``.
"""

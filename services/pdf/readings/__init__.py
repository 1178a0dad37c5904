"""Readings: what was read of a document's pages, kept so that no page is read twice.

The service alone uses them. Workers see no folder of theirs: what one is to know comes over its socket.
"""

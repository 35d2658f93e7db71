"""Metadata from tags, loop chunks, file names and the sound itself: tempo, key and loudness, resolved into facts."""

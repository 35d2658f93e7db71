"""Clips of listening tests, embedded each by itself: a clip is separated in isolation, as its listeners heard it.

(Libraries separate with the music around a window; `soundalike.analysis.analyser` does that.)
"""

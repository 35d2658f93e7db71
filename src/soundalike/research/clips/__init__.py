"""Clips of listening tests, each embedded on its own: a clip is separated in isolation, as its listeners heard it.

(Libraries separate with the music around a window; `soundalike.analysis.analyser` does that.)
"""

"""soundalike: find music that sounds alike, instrument by instrument."""

__version__ = "0.1.0"

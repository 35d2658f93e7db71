"""The form in which names of files are compared: without regard to case or to how Unicode composes characters."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """`text` in the form in which names are compared.

    Texts that Unicode considers the same apart from case have the same form: "Björk" composed or decomposed (as macOS names
    files), "straße" and "STRASSE". The Unicode Standard, section 3.13, definition D145; beyond it, the Turkish letters i with
    and without a dot are the same, because their capitals are another's: "ılık" and "ILIK", "İstanbul" and "istanbul".
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", text).casefold().replace("i\u0307", "i").replace("ı", "i")
    return unicodedata.normalize("NFC", folded)

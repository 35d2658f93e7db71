"""aiSFX, an encoder of sound effects and other single sounds (Ma & Lerch 2022)."""

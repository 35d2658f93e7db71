"""What all neural models share: the device, safe reading of weights, compilation. Imports torch when it must.

Only modules below this one, and the models' own (`models.encoders.clap.clap_encoder`,
`models.separators.demucs.demucs_separator`, ...), import torch; each is
itself imported only when its model is asked for, so the core works without it.
"""

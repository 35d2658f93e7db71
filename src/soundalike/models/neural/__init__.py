"""What all neural models share: the device, safe loading of weights, compilation.

Only the modules in this package and those of the neural models (`models.encoders.clap.clap_encoder`,
`models.separators.demucs.demucs_separator` and so on) import torch. Each is imported only when its model is used, so the
core works without torch.
"""

"""Audio in: files to float32 waveforms, windows and onsets of them, and the facts a file or its name tells.

Import from the modules (`soundalike.audio.decode`, `.waveform`, `.windows`, `.onsets`, `.tags`, `.facts`,
...); the package itself imports nothing, so that a command that needs none of it starts fast.
"""

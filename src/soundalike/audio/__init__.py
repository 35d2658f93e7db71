"""Audio files to float32 waveforms; their windows, onsets, level and overview; and their metadata.

Import from the modules (`soundalike.audio.decode`, `.waveform`, `.windows`, `.onsets`, `.metadata.facts`, ...): the
package itself imports nothing, so that a command that needs none of it starts fast.
"""

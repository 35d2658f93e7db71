"""A small generator of music with known truth: songs with true stems, loops and one-shots, made offline from nothing.

`library.write_library` writes a folder and says what is in it; its pieces are `specs.song_specs`, `songs.render_song`,
`songs.render_loop`, `drums.render_hit` and `patches.render_note`. The same seed gives the same samples.
"""

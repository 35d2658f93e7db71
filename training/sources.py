"""Which sounds the network may hear: every source with its licence and credit, and what is held out for evaluation.

Only licences that let weights made from the sounds be shipped under the project's own licence are trained on: public
domain, CC0, MIT, and CC-BY with credit. Drum kits under the GPL or CC-BY-SA are left out; `benchmarks.ears` evaluates on
them, as on the songs under CC-BY, so that no source is both trained on and evaluated on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One source: `package` is the Debian package or folder it comes from, `credit` whom its licence asks to name."""

    name: str
    package: str
    licence: str
    credit: str


KITS: dict[str, Source] = {
    "Audiophob": Source("Audiophob", "hydrogen-drumkits", "CC0-1.0", "soundcloud.com/audiophobdubstep"),
    "rumpf_kit_z01_h2": Source("rumpf_kit_z01_h2", "hydrogen-drumkits", "CC-BY-3.0", "Emanuel Rumpf"),
}
"""Hydrogen's drum kits that are trained on."""

KITS_HELD_OUT: dict[str, str] = {
    "BJA_Pacific": "CC-BY-SA-3.0",
    "ColomboAcousticDrumkit": "GPL-2.0-or-later with exception",
    "ElectricEmpireKit": "GPL-2.0-or-later",
    "ForzeeStereo": "GPL-2.0",
    "Gimme A Hand 1.0": "GPL-2.0",
    "HardElectro1": "GPL-2.0-or-later",
    "Millo-Drums_v.1": "GPL-2.0",
    "Millo_MultiLayered2": "GPL-2.0",
    "Millo_MultiLayered3": "GPL-2.0",
    "The Black Pearl 1.0": "GPL-2.0",
    "VariBreaks": "GPL-2.0-or-later",
    "circAfrique v4": "CC-BY-SA-3.0",
}
"""Hydrogen's drum kits that are only evaluated on, with the licence that excludes them from training."""

SOUNDFONTS: dict[str, Source] = {
    "FluidR3_GM.sf2": Source("FluidR3", "fluid-soundfont-gm", "MIT", "Frank Wen and contributors"),
    "MuseScore_General_Full.sf3": Source(
        "MuseScore General", "musescore-general-soundfont", "MIT", "S. Christian Collins, Michael Cowgill, Frank Wen"
    ),
}

SAMPLES = Source("Sonic Pi samples", "sonic-pi-samples, samples/", "CC0-1.0", "Sonic Pi and freesound.org contributors")

GUITARS = Source("Sectoid, four songs", "fretsonfire-songs-sectoid", "MIT", "Carlos Viola Iborra")
"""The guitars of songs whose other instruments lie in one track; for the separator only."""

VOICES = Source("flite's voices slt, awb and kal16", "flite, libflite1", "BSD-like", "Carnegie Mellon University")
"""For the separator only."""

SPEECH = Source(
    "festvox-ru, 620 sentences read by one speaker", "festvox-ru", "BSD-like", "Nickolay V. Shmyrev (msu_ru_nsh)"
)
"""For the separator's vocals only."""

SYNTH = Source("soundalike.synth", "this project", "Apache-2.0", "this project")

SONGS: dict[str, str] = {
    "Battle_lost-OGA-Mumu.ogg": "CC0-1.0",
    "Ove Melaa - Rainy.ogg": "CC0-1.0",
    "Software-Entwicklungskit - Caesium.m4a": "CC0-1.0",
    "US Army Strings - Hungarian Dance No 5.ogg": "public domain",
    "icy_wind.ogg": "CC0-1.0",
    "opensurge - waterworks.ogg": "CC0-1.0",
    "shrine-OGA-yd.ogg": "CC0-1.0",
}
"""Songs that are backgrounds in training, with their licence; all others are only evaluated on."""

MULTITRACKS = ("caesium", "potassium")
"""Multitracks (CC0-1.0) that are backgrounds and loops in training; `lithium` and `rubidium` are held out."""

SEPARATOR_MULTITRACK = "caesium"
"""The only multitrack that the separator's learned masks are trained on, so that `potassium`, whose drums are quiet, can
evaluate them too."""

MULTITRACKS_HELD_OUT = ("lithium", "rubidium")

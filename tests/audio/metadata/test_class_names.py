from __future__ import annotations

import pytest

from soundalike.audio.metadata.class_names import CLASSES, check_class, class_of_item, class_of_path, words_of
from soundalike.errors import InputError

STATED = {
    # One word or abbreviation in the file name, however it is written.
    "Kick_01.wav": "kick",
    "BD 12.aif": "kick",
    "kik.wav": "kick",
    "TightKick3.wav": "kick",
    "808Kick03.wav": "kick",
    "SNR_01.wav": "snare",
    "sd-4.wav": "snare",
    "Sn04.wav": "snare",
    "Clp_2.wav": "clap",
    "HandClap.wav": "clap",
    "finger snap 1.wav": "clap",
    "CHH_dry.wav": "hat",
    "OHH1.wav": "hat",
    "HH 9.wav": "hat",
    "oh 1.wav": "hat",
    "HiHatOpen-3.wav": "hat",
    "closed_hats_2.wav": "hat",
    "Floor Tom.wav": "tom",
    "Crash 1.wav": "cymbal",
    "ride_bell.wav": "cymbal",
    "shakers 2.wav": "percussion",
    "RimShot.wav": "percussion",
    "Perc01.wav": "percussion",
    "808 long C.wav": "bass",
    "Reese_F.wav": "bass",
    "VOX_chop_04.wav": "vocal",
    "Riser 8 bars.wav": "fx",
    "Synth Stab.wav": "synth",
    "CLHAT 2.wav": "hat",
    "XStick.wav": "percussion",
    "Marimba C3.wav": "keys",
    "Kalimbas/C3.wav": "keys",
    "Moog Bass.wav": "bass",
    "Moog C2.wav": "synth",
    "Gun Shot 1.wav": "fx",
    "Texture 3.wav": "fx",
    "Laser Kick.wav": "kick",
    "Ad-Lib 4.wav": "vocal",
    "Grosse Caisse 1.wav": "kick",
    "Große Trommel 1.wav": "kick",
    "Becken 1.wav": "cymbal",
    "Grand_Piano_C4.wav": "keys",
    "KICK": "kick",
    # Words that mean something else together.
    "Bass Drum 2.wav": "kick",
    "BassDrum.wav": "kick",
    "SideStick 1.wav": "percussion",
    # A specific word beats a general one.
    "Perc Tom 3.wav": "tom",
    "FX Crash.wav": "cymbal",
    "Synth Bass 1.wav": "bass",
    "Bass Kick.wav": "kick",
    "Snare 808.wav": "snare",
    # The file name wins over the nearest folder, which wins over farther ones.
    "Snares/Perc 01.wav": "percussion",
    "Percussion/Toms/03.wav": "tom",
    "Toms/Percussion/03.wav": "percussion",
    "Kicks/Layers/Dirty/03.wav": "kick",
    # A word with other uses gives way to the folder beside it.
    "Snares/808 07.wav": "snare",
    "Vocals/oh yeah.wav": "vocal",
    "Samples/oh 3.wav": "hat",
    # Two classes in one name: a folder decides between them, or nobody.
    "Snares/KickSnare1.wav": "snare",
    "Claps & Snaps/02.wav": "clap",
    # Styles and machines are no classes.
    "Drum & Bass/Kicks/1.wav": "kick",
    "Roland 808/Cowbell.wav": "percussion",
}

UNSTATED = [
    "Kick & Snare/03.wav",
    "Kick Snare.wav",
    "Toms/Kick Snare.wav",
    "Drum & Bass Kit/12.wav",
    "drum and bass 4.wav",
    "Future Bass Essentials/12.wav",
    "TR 808/12.wav",
    "kicker sickness.wav",
    "Vol 2/One Shots/07.wav",
    "whatever.wav",
    "",
]


@pytest.mark.parametrize(("path", "sound_class"), STATED.items())
def test_a_path_states_a_class(path: str, sound_class: str) -> None:
    assert class_of_path(path) == sound_class


@pytest.mark.parametrize("path", UNSTATED)
def test_a_path_that_leaves_the_class_open_states_none(path: str) -> None:
    assert class_of_path(path) is None


def test_every_class_has_words_that_state_it() -> None:
    assert set(STATED.values()) >= set(CLASSES) - {"guitar", "orchestral"}
    assert class_of_path("GTR_pluck.wav") is None  # a guitar, or a synth
    assert class_of_path("GTR 1.wav") == "guitar"
    assert class_of_path("Strings.wav") == class_of_path("brass 2.wav") == "orchestral"


def test_the_root_of_an_item_counts_as_its_farthest_folder() -> None:
    assert class_of_item("Snares", "a/01.wav") == "snare"
    assert class_of_item("Snares", "Kicks/01.wav") == "kick"
    assert class_of_item("", "/home/tom/sounds/pack/01.wav") is None  # beyond two folders stand users and disks
    assert class_of_item("", "/home/tom/sounds/kicks/01.wav") == "kick"


def test_words_are_parted_by_signs_digits_and_capitals() -> None:
    assert words_of("TS_HiHat2-openDRY") == ["ts", "hi", "hat", "2", "open", "dry"]
    assert words_of("808BDLong") == ["808", "bd", "long"]
    assert words_of("große Trommel") == ["große", "trommel"]


def test_an_unknown_class_is_refused_with_those_there_are() -> None:
    assert check_class("hat") == "hat"
    with pytest.raises(InputError, match="unknown class 'snares'; the classes of one-shots are kick, snare"):
        check_class("snares")

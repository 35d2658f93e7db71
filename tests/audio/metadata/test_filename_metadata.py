from __future__ import annotations

import pytest

from soundalike.audio.metadata.filename_metadata import metadata_from_filename

STATED = {
    "TS_HH_120_Drum_Loop_Am": (120.0, "A minor"),
    "90bpm": (90.0, None),
    "128 BPM": (128.0, None),
    "127.5bpm_C#": (127.5, "Db"),
    "bpm_140_Dm_arp": (140.0, "D minor"),
    "128bpmAm_lead": (128.0, "A minor"),
    "_120bpm_Am": (120.0, "A minor"),
    "loop_120bpm_am": (120.0, "A minor"),
    "Loop 95 BPM Gmin": (95.0, "G minor"),
    "128_F#m_": (128.0, "F# minor"),
    "Bass_Loop_124_Ebm_Wet": (124.0, "Eb minor"),
    "SO_PF_100_piano_loop_cloudy_Gbmaj": (100.0, "F# major"),
    "Vocal_Chop_E_min_140bpm": (140.0, "E minor"),
    "Lead 130 D# minor": (130.0, "Eb minor"),
    "Deep House 122 Gm": (122.0, "G minor"),
    "Guitar_Loop_Bmin_88": (88.0, "B minor"),
    "8A - 128 - Artist - Title": (128.0, "A minor"),
    "Artist - Title - 10B - 174": (174.0, "D major"),
    "loop_drone_g_97": (97.0, "G"),
    "Loop_01_120": (120.0, None),
    "Top_Loop_3_174": (174.0, None),
    "Synth Bass 174bpm F": (174.0, "F"),
    "Cmaj7 pad": (None, "C major"),
    "guit_em9": (None, "E minor"),
    "F#min": (None, "F# minor"),
    "Bb": (None, "Bb"),
    "(Am) Deep Pad": (None, "A minor"),
    "E flat major etude": (None, "Eb major"),
    "Sonata No 14 in C# minor op 27": (None, "C# minor"),
    "Prelude in E minor, Op. 28 No 4": (None, "E minor"),
    "Symphony 104 in D major": (None, "D major"),
    "Title in A Minor (Live)": (None, "A minor"),
    "Kick_04_C": (None, "C"),
    "bass_hit_c": (None, "C"),
    "Piano_C3": (None, "C"),
    "Rhodes_A#4": (None, "Bb"),
    "Vitamin C 95bpm": (95.0, None),
    "Big A 120 BPM": (120.0, None),
    "Mr B 100bpm": (100.0, None),
    "Synth C 95bpm": (95.0, "C"),
    "Deep House 124bpm C": (124.0, "C"),
    "C_95bpm": (95.0, "C"),
    "Rock Em Sock Em 120bpm": (120.0, None),
    "All Of Em 95bpm": (95.0, None),
    "Hit Em Up 95bpm": (95.0, None),
    "Deep Em 95bpm": (95.0, "E minor"),
    "5 am 120bpm": (120.0, None),
    "120bpm am": (120.0, "A minor"),
    "Studio 54 - 120 BPM": (120.0, None),
    "Am I Wrong 120bpm": (120.0, None),
    "100bpm 100 BPM": (100.0, None),
    "DH2_Bass_125_08_Am": (None, "A minor"),
    "Blink 182 Loop 120": (120.0, None),
    "Loop B 120bpm": (120.0, None),
    "Drum_Loop_A_120_01": (120.0, None),
    "Blink-182_Drum_Loop_120_Am": (120.0, "A minor"),
    "Juno 106 Bass Loop 128": (128.0, None),
    "Blink 182 120bpm loop": (120.0, None),
}

# fmt: off
NOT_STATED = (
    "", "A minor thing 2", "A Minor Threat", "Caketown_1", "amen_full", "loop_amen_full", "Who Am I",
    "Where_I_Am", "01 - Am I Wrong", "Kill Em All", "Give Em Hell", "Em", "99 Problems", "1999",
    "Blink 182 - All The Small Things", "Drum Loop 100", "track_120", "Take Five 172", "Hungarian Dance No 5",
    "50 Cent - In Da Club", "Plan B", "Vitamin C", "Loop_B", "Side A", "C", "A1", "B2 bomber",
    "arovane_beat_c", "Take_2_B", "Scene_3_A", "Snare 808 A", "90s House Loop", "24bit_loop", "Route 66",
    "Area 51", "Highway 61 Revisited", "Break 100 Hearts", "Vol. 3 - 120 hz tone", "30 Cm", "Fm Radio",
    "F.M. 120", "Nirvana - Come As You Are", "In C", "8A", "2B", "Disc 2B", "Op. 106 Adagio", "120 minutes",
    "I am 100", "Big Bad Beat", "Kick", "Snare_C2", "tabla_re", "-6 Db", "10000bpm", "5bpm", "bpm", "Am",
    "am", "a", "_", "120", "The 1975", "Opensurge - theme", "Ove Melaa - Rainy", "dont_close_your_eyes",
    "US Army Strings", "house_in_a_forest_loop_horrorpen_oga", "3AM", "Track A",
    "Blink 182 Drum Loop", "Juno 106 Loop",
)
# fmt: on


@pytest.mark.parametrize("stem", STATED)
def test_stated_metadata_is_parsed(stem: str) -> None:
    assert metadata_from_filename(stem) == STATED[stem]


@pytest.mark.parametrize("stem", NOT_STATED)
def test_other_names_state_nothing(stem: str) -> None:
    assert metadata_from_filename(stem) == (None, None)


def test_contradictions_are_none() -> None:
    assert metadata_from_filename("KSHMR_Kick_Loop_100_128_Am") == (None, "A minor")
    assert metadata_from_filename("Loop_100bpm_120bpm_Am") == (None, "A minor")
    assert metadata_from_filename("House 124 bpm to 128 bpm") == (None, None)
    assert metadata_from_filename("128-130 bpm mix") == (None, None)
    assert metadata_from_filename("Warmup 120 to 124bpm Am") == (None, "A minor")
    assert metadata_from_filename("Loop 01-120bpm") == metadata_from_filename("DH-12-120bpm") == (120.0, None)
    assert metadata_from_filename("half 70bpm 140bpm drums") == (None, None)
    assert metadata_from_filename("Chords_120bpm_Am_Gm") == (120.0, None)
    assert metadata_from_filename("Chords_120bpm_Am_Am") == (120.0, "A minor")

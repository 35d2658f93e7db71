"""Tempo and key from file names, as sample packs and DJ software write them.

    TS_HH_120_Drum_Loop_Am      120, A minor        8A - 128 - Artist - Title    128, A minor
    Loop 95 BPM Gmin            95, G minor         Kick_04_C                    -, C (root only)
    128_F#m_lead                128, F# minor       Cmaj7 pad                    -, C major

Most names are not written like this, and titles are full of "Am", "A minor ..." and numbers. A wrong fact is worse
than none (a filter would hide the file), so anything ambiguous needs further evidence: a bare number needs a key or
a word like `loop`; "Am" and "Em", which are also English, need a tempo or an audio term; a single letter needs a
pitched instrument, a tempo or an index before it; Camelot codes ("8A") need a tempo.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from soundalike.audio.metadata.keys import Key, find_key, spelt_key

_BPM = (
    re.compile(r"(?<![\d.])(\d{2,3}(?:[.,]\d{1,3})?)[\s_-]*bpm", re.IGNORECASE),
    re.compile(r"bpm[\s_=:-]*(\d{2,3}(?:[.,]\d{1,3})?)(?!\d)", re.IGNORECASE),
)
_RANGE = re.compile(r"(?<![\w.])(\d{2,3})(?:[-–~]|[\s_]+to[\s_]+)(\d{2,3})[\s_-]*bpm", re.IGNORECASE)
_SLOWEST, _FASTEST = 30.0, 300.0  # if the name contains "bpm"
_BARE_SLOWEST, _BARE_FASTEST = 60.0, 200.0  # if it does not

_TOKEN = re.compile(r"\d+\.\d+|[^\s_\-.,;()\[\]{}+&/\\]+")
_NUMBER = re.compile(r"[1-9]\d{1,2}(?:\.\d+)?")
_INDEX = re.compile(r"\d{1,4}")
_CAMELOT = re.compile(r"(?:0?[1-9]|1[0-2])[AB]")
_COMPACT = re.compile(
    r"(?P<root>[A-Ga-g])(?P<sign>#|b|♯|♭|sharp|flat)?(?P<mode>[Mm]ajor|[Mm]inor|[Mm]aj|[Mm]in|MAJ|MIN|MAJOR|MINOR|m)"
    r"(?P<chord>6|7|9|11|13)?"
)
_NOTE = re.compile(r"(?P<root>[A-Ga-g])(?P<sign>#|b|♯|♭)?(?P<octave>[0-8])?")
_MODES = frozenset({"major", "minor", "maj", "min"})
_TEMPO = "\x1f"  # a separator in place of a stated tempo
_ENGLISH = frozenset({"Am", "Em"})  # "Who Am I", "Kill Em All"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_ENGLISH = {
    "Am": _words("i who what where why how here there"),
    "Em": _words(
        """
        all beat blow both bomb break bring burn bust buss call catch chase chop crush cut drop dust eat feed feel fight find
        fool fuck get give got hate have hit hold hurt keep kill knock leave let lock lose love make meet mix move of pack pass
        play pop pull push put rip rob rock roll run save see send set shake shoot show slay smack smash smoke sock stack
        steal stick stop take teach tell throw told treat trick turn use wake want watch wet whip work wreck
        """
    ),
}
_AFTER_ENGLISH = {
    "Am": _words("i not the your my here gonna so what who no just still only an"),
    "Em": _words("up all down in out off on high hell to go know feel say back how why with some right now dead guns"),
}

_LOOP_WORDS = _words(
    """
    loop loops groove grooves beat beats songstarter construction
    """
)
_PITCHED_WORDS = _words(
    """
    bass basses sub 808 808s reese lead leads pad pads synth synths pluck plucks chord chords stab stabs
    string strings piano rhodes keys keyboard organ epiano wurli guitar gtr guit arp arps bell bells
    brass horn horns sax flute clarinet oboe trumpet vocal vocals vox choir drone melody melodies riff
    riffs harp violin viola cello marimba kalimba vibes xylophone tom toms mallet tonal hit hits shot
    shots oneshot
    """
)
_AUDIO_WORDS = _words(
    """
    kick kicks snare snares hat hats hihat hh clap claps perc percussion drum drums fx sample samples
    break breaks fill riser bpm shaker ride crash rim tops top
    """
)
_BEFORE_A_NUMBER = _words(
    """
    no nr op opus bwv k kv hob d rv woo symphony concerto sonata quartet etude prelude vol volume track
    part pt take v ver version chapter episode ep day area highway route room studio level psalm hymn
    track disc cd side number
    """
)
# Bands and instruments that are called by a number: Blink 182, Juno 106.
_BEFORE_ITS_NUMBER = _words("blink eiffel haircut juno jupiter sh tr mpc cs cz cr dx jx ax mks")
_AFTER_A_NUMBER = _words(
    """
    hz khz bit bits ms db kbps kbit st min mins sec secs s years year miles degrees x times days percent
    proof
    """
)
_VARIANT_WORDS = _words(
    """
    take scene side version ver mix alt track part pt disc cd option var variation beat
    """
)

_VARIANTS = _words("A B C D")  # of a loop: "Loop A 120bpm"


@dataclass(frozen=True)
class _Token:
    text: str
    before: str  # the separator before it
    after: str

    @property
    def word(self) -> str:
        return self.text.lower()

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha()

    @property
    def is_index(self) -> bool:
        return _INDEX.fullmatch(self.text) is not None

    @property
    def is_tempo(self) -> bool:
        return _NUMBER.fullmatch(self.text) is not None and _BARE_SLOWEST <= float(self.text) <= _BARE_FASTEST

    def delimited(self, marks: str = "_-()[]") -> bool:
        """Whether a separator other than a space, or a stated tempo, is next to it."""
        return any(mark in self.before + self.after for mark in (*marks, _TEMPO))

    def delimited_before_tempo(self, marks: str = "_-()[]") -> bool:
        """As `delimited`, but what may be the last word of a phrase before the tempo is not: "Vitamin C 95bpm"."""
        return _TEMPO in self.before or any(mark in self.before + self.after for mark in marks)


def metadata_from_filename(stem: str) -> tuple[float | None, str | None]:
    """(tempo in BPM, key as in `keys`) stated by the file name `stem` (without suffix); None for what it does not state, or
    states in two ways that contradict each other."""
    stated, rest = _stated_tempos(stem)
    tokens = _tokens(rest)
    keys = _keys_with_mode(tokens, bool(stated))
    tempo = stated[0] if stated else _bare_tempo(tokens, keys)
    if not keys:
        keys = _camelot(tokens, tempo)
    if not keys:
        keys = _bare_notes(tokens, tempo)
    if len(set(stated)) > 1 or _states_range(stem):
        tempo = None
    distinct = set(keys.values())
    return tempo, str(distinct.pop()) if len(distinct) == 1 else None


def _stated_tempos(stem: str) -> tuple[list[float], str]:
    """The numbers next to "bpm", and the name with `_TEMPO` in place of both."""
    for pattern in _BPM:
        matches = [match for match in pattern.finditer(stem) if _SLOWEST <= _number(match[1]) <= _FASTEST]
        if matches:
            rest = stem
            for match in reversed(matches):
                rest = f"{rest[: match.start()]}{_TEMPO}{rest[match.end() :]}"
            return [_number(match[1]) for match in matches], rest
    return [], stem


def _states_range(stem: str) -> bool:
    """Whether a name states a range of tempos, such as "124-128 bpm"."""
    return any(
        _BARE_SLOWEST <= _number(match[1]) < _number(match[2]) <= _BARE_FASTEST for match in _RANGE.finditer(stem)
    )


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _tokens(name: str) -> list[_Token]:
    matches = list(_TOKEN.finditer(name))
    edges = [0, *(match.end() for match in matches)]
    begins = [*(match.start() for match in matches), len(name)]
    gaps = [name[end:begin] for end, begin in zip(edges, begins, strict=True)]
    return [_Token(match[0], gaps[i], gaps[i + 1]) for i, match in enumerate(matches)]


def _keys_with_mode(tokens: list[_Token], stated: bool) -> dict[int, Key]:
    """Keys with a mode, by the position of their first token."""
    keys: dict[int, Key] = {}
    audio_terms = stated or _has(tokens, _LOOP_WORDS | _PITCHED_WORDS | _AUDIO_WORDS)
    for position, token in enumerate(tokens):
        compact = _COMPACT.fullmatch(token.text)
        if compact and _compact_counts(tokens, position, compact, audio_terms, stated):
            keys[position] = spelt_key(compact["root"], compact["sign"] or "", compact["mode"])
        elif (spelt := _spelt_out(tokens, position)) is not None:
            keys[position] = spelt
    return keys


def _compact_counts(tokens: list[_Token], position: int, match: re.Match[str], audio_terms: bool, stated: bool) -> bool:
    """Whether a token such as "Am", "f#min", "Cmaj7" means a key."""
    token = tokens[position]
    near_tempo = any(near.is_tempo for near in _neighbours(tokens, position))
    if match["chord"]:
        return True
    if _reads_as_english(tokens, position):
        return False
    if match["mode"] == "m":
        if match["root"].islower():
            english = token.text.capitalize() in _ENGLISH and not audio_terms
            return (near_tempo and not english) or (stated and token.delimited_before_tempo())
        if token.text in _ENGLISH:
            return near_tempo or audio_terms
        return match["sign"] is not None or audio_terms or near_tempo or token.delimited()
    return match["root"].isupper() or match["sign"] is not None or audio_terms or near_tempo


def _reads_as_english(tokens: list[_Token], position: int) -> bool:
    """Whether a token is the word in "Who Am I" or "Hit Em Up": by the words beside it, or within a phrase of words."""
    token = tokens[position]
    word = token.text.capitalize()
    if word not in _ENGLISH:
        return False
    before = tokens[position - 1].word if position > 0 else ""
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if before in _BEFORE_ENGLISH[word] or (after is not None and after.word in _AFTER_ENGLISH[word]):
        return True
    in_phrase = after is not None and after.is_word and token.after == " "
    return in_phrase and after is not None and not _has([after], _LOOP_WORDS | _PITCHED_WORDS | _AUDIO_WORDS)


def _spelt_out(tokens: list[_Token], position: int) -> Key | None:
    """The key written in several tokens from `position` on, such as "F# minor" or "E flat major"."""
    note = _NOTE.fullmatch(tokens[position].text)
    if note is None or note["octave"]:
        return None
    sign, last = note["sign"] or "", position + 1
    if not sign and last < len(tokens) and tokens[last].word in ("sharp", "flat"):
        sign, last = tokens[last].word, last + 1
    if last >= len(tokens) or tokens[last].word not in _MODES:
        return None
    if note["root"] in "Aa" and not sign and not _ends_a_phrase(tokens, position, last):
        return None  # "A minor thing": an article
    return spelt_key(note["root"], sign, tokens[last].word)


def _ends_a_phrase(tokens: list[_Token], first: int, last: int) -> bool:
    if last + 1 >= len(tokens) or not tokens[last + 1].is_word:
        return True
    after_in = first > 0 and tokens[first - 1].word == "in"
    return after_in or tokens[last].after not in (" ", "_", "-")


def _bare_tempo(tokens: list[_Token], keys: dict[int, Key]) -> float | None:
    """A number without "bpm" that is a tempo by other evidence; None if several differ."""
    loops = any(token.word in _LOOP_WORDS or token.word.endswith(("loop", "loops")) for token in tokens)
    tempos = set()
    for position, token in enumerate(tokens):
        if not token.is_tempo or _counts_something_else(tokens, position):
            continue
        has_key = any(near in keys for near in (position - 1, position + 1)) or (loops and bool(keys))
        has_code = any(_CAMELOT.fullmatch(near.text) for near in _neighbours(tokens, position))
        last = position == len(tokens) - 1
        # The last number of "Drum Loop 100" numbers the loops of a pack.
        is_loop = loops and (not last or _numbered_already(tokens, position) or _names_a_number(tokens[:position]))
        if has_key or has_code or is_loop:
            tempos.add(float(token.text))
    return tempos.pop() if len(tempos) == 1 else None


def _counts_something_else(tokens: list[_Token], position: int) -> bool:
    before = tokens[position - 1].word if position > 0 else ""
    after = tokens[position + 1].word if position + 1 < len(tokens) else ""
    return before in _BEFORE_A_NUMBER | _BEFORE_ITS_NUMBER or after in _AFTER_A_NUMBER


def _names_a_number(tokens: list[_Token]) -> bool:
    """Whether a number in a name belongs to a band or an instrument."""
    return any(token.word in _BEFORE_ITS_NUMBER and after.is_index for token, after in itertools.pairwise(tokens))


def _numbered_already(tokens: list[_Token], position: int) -> bool:
    if position == 0:
        return False
    before = tokens[position - 1]
    return before.is_index or _NOTE.fullmatch(before.text) is not None


def _camelot(tokens: list[_Token], tempo: float | None) -> dict[int, Key]:
    if tempo is None:
        return {}
    codes = {i: find_key(token.text) for i, token in enumerate(tokens) if _CAMELOT.fullmatch(token.text)}
    return {i: key for i, key in codes.items() if key is not None}


def _bare_notes(tokens: list[_Token], tempo: float | None) -> dict[int, Key]:
    """Roots without a mode: "Kick_04_C", "Bass_F#", "Piano_C3", "bass_hit_c"."""
    keys: dict[int, Key] = {}
    pitched = _has(tokens, _PITCHED_WORDS)
    for position, token in enumerate(tokens):
        note = _NOTE.fullmatch(token.text)
        if note is None:
            continue
        near_tempo = tempo is not None and any(near.is_tempo for near in _neighbours(tokens, position))
        last = all(not later.is_word for later in tokens[position + 1 :])
        if not (last or near_tempo):
            continue
        if _note_counts(tokens, position, note, pitched, tempo is not None):
            keys[position] = spelt_key(note["root"], note["sign"] or "", "")
    return keys


def _note_counts(tokens: list[_Token], position: int, note: re.Match[str], pitched: bool, has_tempo: bool) -> bool:
    """Whether a single note letter means a pitch and not a variant ("Loop_B"), an article or a unit."""
    token = tokens[position]
    if note["root"].islower():
        return pitched and note["root"] in "cdefg" and not note["octave"] and token.delimited("_-")
    indexed = position > 0 and tokens[position - 1].is_index and token.delimited("_-")
    variant = _has(tokens, _VARIANT_WORDS)
    if token.text in _VARIANTS and position > 0 and _has([tokens[position - 1]], _LOOP_WORDS):
        return False
    if note["octave"]:
        return pitched or note["sign"] is not None
    if note["sign"]:
        decibels = token.text in ("Db", "Gb") and position > 0 and tokens[position - 1].is_index
        return not decibels or has_tempo or token.delimited("_-")
    named = pitched or _has(tokens, _LOOP_WORDS | _AUDIO_WORDS)
    return (has_tempo and (token.delimited() if named else token.delimited_before_tempo())) or (
        (pitched or indexed) and token.delimited("_-") and not variant
    )


def _neighbours(tokens: list[_Token], position: int) -> list[_Token]:
    return [tokens[near] for near in (position - 1, position + 1) if 0 <= near < len(tokens)]


def _has(tokens: list[_Token], words: frozenset[str]) -> bool:
    return any(token.word in words or token.word.endswith(("loop", "loops")) for token in tokens)

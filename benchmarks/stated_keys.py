"""How often the key estimated from audio is the one that the file's name or tag states.

    python -m benchmarks.stated_keys FOLDER

FOLDER: audio files of known key, such as those of `benchmarks.render_scores`; files that state none are left out. Reported by
the first word of the names: the share right, the wrong ones by their relation to the stated key, and what the profile alone
would give.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from benchmarks.shared.audio_data import audio_files
from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.audio.metadata.facts import resolve_facts
from soundalike.audio.metadata.keys import Key, parse_key
from soundalike.audio.metadata.tags import read_tags
from soundalike.audio.metadata.tonality import FEATURES, KEYS, WEIGHTS, key_features


def relation(found: Key, stated: Key) -> str:
    """What the found key is to the stated one: right, relative, parallel, a fifth, or another."""
    if found == stated:
        return "right"
    if found.mode != stated.mode:
        return "parallel" if found.root == stated.root else "relative" if found.compatible(stated) else "other"
    return "fifth" if found.compatible(stated) else "other"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for path in audio_files(parser.parse_args().folder):
        _, fact = resolve_facts(read_tags(path), path.stem)
        stated = None if fact is None or fact.source == "estimate" else parse_key(str(fact.value))
        if stated is None or stated.mode is None:
            continue
        sound = decode.read(path)
        features = key_features(sound.mono(), sound.sample_rate)
        kind = path.stem.split()[0]
        if features is None:
            found[kind]["none"] += 1
            continue
        best = KEYS[int(np.argmax(features @ np.array(WEIGHTS)))]
        found[kind][relation(best, stated)] += 1
        found[kind]["right by the profile"] += KEYS[int(np.argmax(features[:, FEATURES.index("profile")]))] == stated
    columns = ("right", "relative", "fifth", "parallel", "other", "none")
    rows = []
    for kind, counts in sorted(found.items()):
        total = sum(counts[name] for name in columns)
        shares = (f"{counts['right'] / total:.3f}", *(str(counts[name]) for name in columns[1:]))
        rows.append((kind, str(total), *shares, f"{counts['right by the profile'] / total:.3f}"))
    print_table(("files", "", *columns, "profile alone"), rows)


if __name__ == "__main__":
    main()

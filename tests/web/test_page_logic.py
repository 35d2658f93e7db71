"""Pure functions of the page: weights, ranking, links, exports, loudness, beat synchronisation."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundalike.search.candidates import Candidates, provisional
from soundalike.similarity.weights import in_units_of_spread

PARTS = ("bass", "drums", "residuals", "mix")

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def module(modules: Any) -> Call:
    """Calls a function of a module of the page: module("weights.js", "weightsOf", strips)."""

    def call(name: str, function: str, *values: Any) -> Any:
        return modules.evaluate(
            "async ([name, function_, values]) => (await import(`/${name}`))[function_](...values)",
            [name, function, list(values)],
        )

    call.page = modules  # type: ignore[attr-defined]
    return call


quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def strip(value: float = 0.5, muted: bool = False, solo: bool = False, locked: float | None = None) -> dict[str, Any]:
    return {"value": value, "muted": muted, "solo": solo, "locked": locked}


values = st.floats(-1, 1).map(lambda value: round(value, 2))
mixers = st.fixed_dictionaries({part: st.builds(strip, values, st.booleans(), st.booleans()) for part in PARTS})


def test_weights_equal_a_calculation_by_hand(module: Call) -> None:
    mixer = {"bass": strip(0.5), "drums": strip(-1), "residuals": strip(0), "mix": strip(0.5)}
    assert module("weights.js", "weightsOf", mixer) == {"bass": 0.25, "drums": -0.5, "mix": 0.25}
    mixer["bass"]["locked"] = 0.4
    assert module("weights.js", "weightsOf", mixer) == pytest.approx({"bass": 0.4, "drums": -0.4, "mix": 0.2})
    mixer["drums"]["muted"] = True
    assert module("weights.js", "weightsOf", mixer) == pytest.approx({"bass": 0.4, "mix": 0.6})
    mixer["drums"] = strip(0.1, solo=True)
    assert module("weights.js", "weightsOf", mixer) == {"drums": 1}
    assert module("weights.js", "weightsOf", {"mix": strip(0)}) == {}


def test_a_silent_part_has_no_share(module: Call) -> None:
    mixer = {"bass": strip(0.5), "drums": strip(-1), "vocals": strip(0.5), "mix": strip(0.5)}
    assert module("weights.js", "sharesOf", mixer, ["vocals"]) == {"bass": 0.25, "drums": -0.5, "mix": 0.25}
    assert module("weights.js", "sharesOf", mixer, []) == pytest.approx(module("weights.js", "weightsOf", mixer))
    mixer["drums"]["locked"] = 0.4  # of the score; 0.3 for each of the others
    shares = {"bass": 0.3, "drums": 0.4, "mix": 0.3}
    assert module("weights.js", "sharesOf", mixer, ["vocals"]) == pytest.approx(shares)
    weights = module("weights.js", "weightsOf", mixer, ["vocals"])  # what is sent has the silent part too
    assert weights == pytest.approx({"vocals": 0.2, **{part: 0.8 * share for part, share in shares.items()}})
    mixer["vocals"]["solo"] = True
    assert module("weights.js", "sharesOf", mixer, ["vocals"]) == {}
    assert module("weights.js", "weightsOf", mixer, ["vocals"]) == {"vocals": 1}


def test_a_lock_keeps_the_share_among_the_parts_that_sound(module: Call) -> None:
    mixer = {part: strip(0.5) for part in ("bass", "drums", "vocals", "residuals", "mix")}
    locked = module("weights.js", "lock", mixer, "drums", ["vocals"])
    assert locked["drums"]["locked"] == pytest.approx(0.25)
    locked["bass"]["value"] = 1
    shares = module("weights.js", "sharesOf", locked, ["vocals"])
    assert shares == pytest.approx({"bass": 0.375, "drums": 0.25, "residuals": 0.1875, "mix": 0.1875})
    unlocked = module("weights.js", "unlock", locked, "drums", ["vocals"])
    assert module("weights.js", "sharesOf", unlocked, ["vocals"]) == pytest.approx(shares)


def test_which_weights_rank_alike(module: Call) -> None:
    one = {"bass": 0.2, "drums": -0.4, "vocals": 0.4}
    assert module("weights.js", "rankAlike", one, {"bass": 0.1, "drums": -0.2, "vocals": 0.7}, ["vocals"])
    assert module("weights.js", "rankAlike", one, {"bass": 1 / 3, "drums": -2 / 3, "mix": 0}, ["vocals"])
    assert not module("weights.js", "rankAlike", one, {"bass": 0.1, "drums": -0.2, "vocals": 0.7}, [])
    assert not module("weights.js", "rankAlike", one, {"bass": 0.2, "drums": 0.4}, ["vocals"])
    assert not module("weights.js", "rankAlike", one, {"bass": 0.2, "drums": -0.4, "mix": 0.4}, ["vocals"])


def test_which_parts_are_silent_is_known_of_those_that_were_weighted(module: Call) -> None:
    all_of_it = {"silent": ["vocals"], "effective": {"drums": 0.5, "vocals": 0.5}}
    assert module("weights.js", "silentParts", [], all_of_it) == ["vocals"]
    assert module("weights.js", "silentParts", ["vocals"], all_of_it) == ["vocals"]
    drums = {"silent": [], "effective": {"drums": 1}}
    assert module("weights.js", "silentParts", ["vocals"], drums) == ["vocals"]
    assert module("weights.js", "silentParts", ["drums"], drums) == []


@quick
@given(mixer=mixers)
def test_absolute_weights_add_up_to_one(module: Call, mixer: dict[str, Any]) -> None:
    found = module("weights.js", "weightsOf", mixer)
    assert sum(abs(share) for share in found.values()) == pytest.approx(1 if found else 0)
    for part, share in found.items():
        assert share * mixer[part]["value"] > 0


@quick
@given(mixer=mixers, part=st.sampled_from(PARTS), other=st.sampled_from(PARTS), value=values)
def test_a_locked_part_keeps_its_weight_until_it_is_unlocked(
    module: Call, mixer: dict[str, Any], part: str, other: str, value: float
) -> None:
    mixer = {name: {**one, "muted": False, "solo": False} for name, one in mixer.items()}
    before = module("weights.js", "weightsOf", mixer)
    locked = module("weights.js", "lock", mixer, part)
    assert module("weights.js", "weightsOf", locked) == pytest.approx(before)
    if other != part:
        locked[other]["value"] = value
    loose = sum(abs(one["value"]) for name, one in locked.items() if name != part)
    moved = module("weights.js", "weightsOf", locked)
    if loose:
        assert moved.get(part, 0) == pytest.approx(before.get(part, 0), abs=1e-6)
    free = module("weights.js", "unlock", locked, part)
    assert all(-1 <= one["value"] <= 1 for one in free.values())
    if loose and abs(before.get(part, 0)) < 1 - 1e-6:
        assert module("weights.js", "weightsOf", free) == pytest.approx(moved, abs=1e-5)


def test_the_heaviest_part(module: Call) -> None:
    heaviest = lambda shares: module("weights.js", "heaviest", PARTS, shares)  # noqa: E731
    assert heaviest({"drums": 0.6, "mix": 0.4}) == "drums"
    assert heaviest({"drums": -0.6, "bass": 0.4}) == "bass"
    assert heaviest(dict.fromkeys(PARTS, 0.25)) == "mix"


@quick
@given(weights=st.fixed_dictionaries(dict.fromkeys(PARTS, values)))
def test_hand_set_weights_act_as_on_the_server(module: Call, weights: dict[str, float]) -> None:
    spread = {"bass": 0.12, "drums": 0.2, "residuals": 0.05, "mix": 0.14}
    used = {part: value for part, value in weights.items() if value}
    assert module("rank.js", "effective", weights, spread) == pytest.approx(in_units_of_spread(used, spread))


def test_a_profile_on_the_sliders_ranks_as_the_profile_does(module: Call) -> None:
    profile = {"bass": 0.32, "drums": 0.83, "residuals": 1.27, "mix": 1.64}
    spread = {"bass": 0.12, "drums": 0.2, "residuals": 0.05, "mix": 0.14}
    set_by_hand = module("weights.js", "sliderValues", profile, spread)
    assert max(set_by_hand.values()) == 1
    raw = module("rank.js", "effective", set_by_hand, spread)
    factor = raw["mix"] / profile["mix"]
    assert raw == pytest.approx({part: factor * weight for part, weight in profile.items()})


@pytest.mark.parametrize("seed", range(4))
def test_candidates_are_ranked_as_by_the_server(module: Call, seed: int) -> None:
    rng = np.random.default_rng(seed)
    of_item = np.sort(rng.integers(0, 60, size=200))
    present = np.unique(of_item)
    of_item = np.searchsorted(present, of_item)
    found = Candidates(
        PARTS,
        tuple({"id": f"{n:03d}"} for n in range(len(present))),
        of_item,
        np.arange(200.0),
        np.arange(200.0) + 10,
        (rng.normal(size=(200, 4)) * (rng.random((200, 4)) < 0.4)).astype(np.float32),  # most parts are absent
    )
    weights = rng.normal(size=4) * (np.arange(4) != seed)
    rows = [[int(of_item[r]), float(r), float(r) + 10, found.cosines[r].tolist()] for r in range(200)]
    ranked = module.page.evaluate(  # type: ignore[attr-defined]
        """async ([candidates, weights]) => {
          const { packed, ranked } = await import("/rank.js");
          return ranked(packed(candidates), weights);
        }""",
        [{"parts": PARTS, "items": list(found.items), "rows": rows}, dict(zip(PARTS, weights, strict=True))],
    )
    expected = provisional(found, weights.tolist())
    assert len(expected) < len(present)  # some items have none of the weighted parts
    assert [hit["item"]["id"] for hit in ranked] == [found.items[item]["id"] for item, _, _ in expected]
    assert [hit["start"] for hit in ranked] == [float(row) for _, row, _ in expected]
    assert [hit["score"] for hit in ranked] == pytest.approx([score for _, _, score in expected], abs=1e-5)
    for hit in ranked:
        assert sum(hit["contributions"].values()) == pytest.approx(hit["score"], abs=1e-5)


words = st.text(max_size=20)


@quick
@given(
    mixer=mixers,
    region=st.none() | st.tuples(st.floats(0, 10), st.floats(10, 20)).map(list),
    kind=st.sampled_from(["song", "loop", "one-shot"]),
    part=st.none() | st.sampled_from(PARTS),
    filters=st.fixed_dictionaries({"tempo": words, "key": words, "length": words, "path": words}),
    favourite=st.booleans(),
    classes=st.lists(st.sampled_from(["kick", "snare"]), max_size=2),
    versions=st.sampled_from(["", "loose", "strict", "show"]),
    same_class=st.sampled_from(["prefer", "ignore"]),
    referenceKind=st.sampled_from([None, "song", "loop"]),
    group=st.none() | st.integers(0, 400),
    reference=st.sampled_from(
        [None, {"item": "a/b"}, {"text": "dry \u2019funk"}, {"upload": "1", "name": "s\xf6ng.wav"}]
    ),
)
def test_a_link_contains_the_whole_state(
    module: Call, favourite: bool, classes: list[str], versions: str, same_class: str, **state: Any
) -> None:
    state["strips"] = state.pop("mixer")
    state["filters"] |= {
        "favourite": favourite,
        "collection": "my kit" * favourite,
        "classes": classes,
        "versions": versions,
        "sameClass": same_class,
    }
    link = module("link.js", "toLink", state)
    kept = module("link.js", "fromLink", link, PARTS)
    reference = state["reference"]
    expected = {"file": reference["name"], "upload": "1"} if reference and "upload" in reference else reference
    assert kept["reference"] == expected
    assert {name: kept[name] for name in ("kind", "part", "filters", "referenceKind", "group")} == {
        name: state[name] for name in ("kind", "part", "filters", "referenceKind", "group")
    }
    assert kept["region"] == (state["region"] and pytest.approx(state["region"], abs=1e-4))
    assert kept["strips"] == {
        part: {**one, "value": pytest.approx(one["value"], abs=1e-4)} for part, one in state["strips"].items()
    }


@pytest.mark.parametrize(
    "hash_",
    [
        "",
        "#",
        "#nonsense",
        "#%",
        "#null",
        "#[]",
        "#7",
        '#{"w":{"drums":9e99},"k":"x","r":[5,1],"p":"no","f":{"path":7},"item":[]}',
    ],
)
def test_invalid_links_change_nothing(module: Call, hash_: str) -> None:
    kept = module("link.js", "fromLink", hash_, PARTS)
    if kept is not None:
        assert (kept["reference"], kept["region"], kept["kind"], kept["part"]) == (None, None, "song", None)
        assert all(-1 <= one["value"] <= 1 for one in kept["strips"].values())
        texts = dict.fromkeys(("tempo", "key", "length", "path", "collection"), "")
        others = {"favourite": False, "classes": [], "versions": "", "sameClass": "prefer"}
        assert kept["filters"] == {**texts, **others}


def test_exports_escape_unusual_names(module: Call) -> None:
    paths = ['/m/a "b", c.wav', "/m/two\nlines.wav", "=SUM(A1)", "/m/ü.wav"]
    hits = [
        {
            "item": {
                "path": path,
                "name": path,
                "title": None,
                "duration": 2.4,
                "kind": "loop",
                "tempo": None,
                "key": "A minor",
            },
            "score": -0.5,
            "start": 0,
            "end": 2.4,
            "contributions": {"drums": -0.5},
            "copy_paths": ["/x"] if n else [],
        }
        for n, path in enumerate(paths)
    ]
    track = {"path": "/m/album.flac#02", "file": "/m/album.flac", "offset": 25.5}
    album = [{**hits[0], "item": {**hits[0]["item"], **track}}]  # type: ignore[dict-item]
    text = {
        form: module.page.evaluate(  # type: ignore[attr-defined]
            "async ([form, hits]) => (await import('/export.js')).FORMATS[form].write(hits)", [form, hits]
        )
        for form in ("csv", "json", "m3u8")
    }
    rows = list(csv.DictReader(io.StringIO(text["csv"], newline="")))
    assert [row["path"].removeprefix("'") for row in rows] == paths
    assert rows[2]["path"] == "'=SUM(A1)"  # a spreadsheet takes it for text
    assert [(row["score"], row["tempo"], row["drums"], row["copies"]) for row in rows[:2]] == [
        ("-0.5", "", "-0.5", ""),
        ("-0.5", "", "-0.5", "/x"),
    ]
    assert [row["path"] for row in json.loads(text["json"])] == paths
    played = module.page.evaluate(  # type: ignore[attr-defined]
        "async (hits) => (await import('/export.js')).FORMATS.m3u8.write(hits)", album
    )
    assert played.splitlines()[2:] == [
        "#EXTVLCOPT:start-time=25.500",
        "#EXTVLCOPT:stop-time=27.900",
        "/m/album.flac",
    ]
    tagged = [
        {**album[0], "item": {**album[0]["item"], "title": title, "artist": "A"}} for title in ("Two\nlines", None)
    ]
    headings = module.page.evaluate(  # type: ignore[attr-defined]
        "async (hits) => (await import('/export.js')).FORMATS.m3u8.write(hits)", tagged
    ).splitlines()[1::4]
    assert headings == ["#EXTINF:2,A - Two lines", f"#EXTINF:2,{paths[0]}"]
    lengths = {0.03: 1, 0.3: 1, 1.4: 1, 1.6: 2, 241.2: 241, 0: -1, None: -1}
    lasting = [{**hits[0], "item": {**hits[0]["item"], "duration": length}} for length in lengths]  # type: ignore[dict-item]
    stated = module.page.evaluate(  # type: ignore[attr-defined]
        "async (hits) => (await import('/export.js')).FORMATS.m3u8.write(hits)", lasting
    ).splitlines()[1::2]
    assert [line.split(",")[0] for line in stated] == [f"#EXTINF:{length}" for length in lengths.values()]
    lines = text["m3u8"].splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2::2] == [path for path in paths if "\n" not in path]  # a line break cannot be in a line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("90-120", [90, 120]),
        ("90 to 120", [90, 120]),
        ("90-", [90, None]),
        ("-120", [None, 120]),
        ("100", [96, 104]),
        ("120.5–121", [120.5, 121]),
        ("90,5-120", [90.5, 120]),
        ("90–120 bpm", [90, 120]),
        ("0,5-1,5 s", [0.5, 1.5]),
    ],
)
def test_ranges_are_parsed(module: Call, text: str, expected: Any) -> None:
    assert module("format.js", "parseRange", text, "tempo", 0.04) == expected


@pytest.mark.parametrize("text", ["fast", "-", "120-90", "1e3", "90-120-140"])
def test_invalid_ranges_are_refused(module: Call, text: str) -> None:
    with pytest.raises(Exception, match="is not a range of tempo"):
        module("format.js", "parseRange", text, "tempo")


@pytest.mark.parametrize("duration", [0.4, 3.0, 25.0, 190.0, 2_700.0, 7_200.0])
@pytest.mark.parametrize("width", [360, 700, 1_440])
@pytest.mark.parametrize("zoom", [1, 8])
def test_labels_of_the_ruler_have_room_and_are_enough(module: Call, duration: float, width: int, zoom: int) -> None:
    scale = zoom * width / duration
    steps = module("ruler.js", "rulerSteps", scale)
    assert steps["label"] * scale >= 70  # px; "115:00" takes 38
    assert duration / steps["label"] < zoom * width / 70
    assert zoom * width / (steps["label"] * scale) >= 2.0 or steps["label"] == 0.05  # the finest
    assert steps["tick"] * scale >= 5
    parts = steps["label"] / steps["tick"]
    assert parts == pytest.approx(round(parts))


def test_times_on_the_ruler(module: Call) -> None:
    labels = [
        module("ruler.js", "rulerLabel", seconds, step)
        for seconds, step in ((0, 5), (5, 5), (60, 60), (119.99999, 10), (2_640, 120), (7_200, 300), (59.96, 0.1))
    ]
    assert labels == ["0:00", "0:05", "1:00", "2:00", "44:00", "120:00", "1:00.0"]
    assert module("ruler.js", "rulerLabel", 61.05, 0.05) == "1:01.05"


def test_seconds_are_parsed_as_they_are_formatted(module: Call) -> None:
    for seconds in (0, 0.5, 61.2, 3599.9):
        assert module("format.js", "parseSeconds", module("format.js", "clock", seconds)) == pytest.approx(seconds)
    assert module("format.js", "parseSeconds", "1:00:01") == 3601
    assert module("format.js", "parseSeconds", "0:05,5") == 5.5
    for text in ("soon", "1:75", "1:60:00"):
        assert np.isnan(module("format.js", "parseSeconds", text))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_loudness_follows_the_standard(module: Call, rate: int) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(2 * rate) / rate
    left = 0.3 * np.sin(2 * np.pi * 220 * time) * (time > 0.5) + 0.01 * rng.normal(size=len(time))
    right = 0.05 * rng.normal(size=len(time)) + 0.2 * np.sin(2 * np.pi * 5000 * time)
    expected = pyloudnorm.Meter(rate).integrated_loudness(np.stack([left, right], axis=1))
    found = module.page.evaluate(  # type: ignore[attr-defined]
        "async ([channels, rate]) => (await import('/sound/loudness.js'))"
        ".loudnessOf(channels.map((one) => Float32Array.from(one)), rate)",
        [[left.tolist(), right.tolist()], rate],
    )
    assert found == pytest.approx(expected, abs=0.1)


def test_gains_equalise_loudness(module: Call) -> None:
    quiet, loud = (module("sound/loudness.js", "gainFor", loudness) for loudness in (-26.0, -9.0))
    assert 20 * np.log10(quiet / loud) == pytest.approx(17)
    assert module("sound/loudness.js", "gainFor", -90.0) == 4
    assert module("sound/loudness.js", "gainFor", None) == 1


def test_switching_keeps_the_beat(module: Call) -> None:
    place = lambda *values: module("sound/beat_sync.js", "syncedPosition", *values)  # noqa: E731
    hit = {"start": 60, "end": 70, "tempo": 120}
    loop = {"start": 0, "end": 4, "tempo": 100}
    assert place(hit, loop, 62) == pytest.approx(2.4)  # four beats in
    assert place(loop, hit, 2.4) == pytest.approx(62)
    assert place(hit, loop, 64) == pytest.approx(0.8)  # 8 beats: the loop has begun again
    assert place(hit, {**loop, "tempo": None}, 62) == pytest.approx(2)
    assert place(hit, {**loop, "tempo": 50}, 62) == pytest.approx(2.4)  # its half is the same beat
    assert place(hit, loop, 12) == 0


def test_recordings_are_wav_files(module: Call) -> None:
    rng = np.random.default_rng(2)
    channels = np.clip(0.4 * rng.normal(size=(2, 3000)), -1, 1)
    data = module.page.evaluate(  # type: ignore[attr-defined]
        """async ([channels, rate]) => {
          const blob = (await import("/recorder.js")).wav(channels.map((one) => Float32Array.from(one)), rate);
          return [...new Uint8Array(await blob.arrayBuffer())];
        }""",
        [channels.tolist(), 48000],
    )
    samples, rate = soundfile.read(io.BytesIO(bytes(data)))
    assert rate == 48000
    np.testing.assert_allclose(samples.T, channels, atol=1 / 16000)


def points(rng: np.random.Generator, count: int) -> dict[str, list[float]]:
    return {"x": rng.random(count).tolist(), "y": rng.random(count).tolist()}


def test_two_fingers_keep_what_is_under_them(module: Call) -> None:
    size = {"width": 400, "height": 300}
    view = {"x": 0.4, "y": 0.55, "zoom": 3}
    before, after = [[100, 120], [180, 160]], [[90, 100], [250, 180]]  # twice as far apart
    nearer = module("map/view.js", "pinched", view, size, before, after)
    assert nearer["zoom"] == pytest.approx(6)
    for old, new in zip(before, after, strict=True):
        assert module("map/view.js", "toMap", nearer, size, *new) == pytest.approx(
            module("map/view.js", "toMap", view, size, *old)
        )


def test_zooming_and_panning_keep_points_in_place(module: Call) -> None:
    size = {"width": 900, "height": 600}
    view = {"x": 0.3, "y": 0.6, "zoom": 5}
    left, top = module("map/view.js", "toScreen", view, size, 0.25, 0.7)
    assert module("map/view.js", "toMap", view, size, left, top) == pytest.approx([0.25, 0.7])
    nearer = module("map/view.js", "zoomed", view, size, 1.5, left, top)
    assert nearer["zoom"] == 7.5
    assert module("map/view.js", "toScreen", nearer, size, 0.25, 0.7) == pytest.approx([left, top])
    assert module("map/view.js", "zoomed", view, size, 0.01) == {"x": 0.5, "y": 0.5, "zoom": 1}
    moved = module("map/view.js", "panned", view, size, 30, -20)
    assert module("map/view.js", "toScreen", moved, size, 0.25, 0.7) == pytest.approx([left + 30, top - 20])


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_on_the_map(module: Call, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cloud = points(rng, 300)
    place = np.stack([cloud["x"], cloud["y"]], axis=1)
    far = np.linalg.norm(place - place[7], axis=1)
    assert module("map/view.js", "neighbours", cloud, 7, 12) == np.argsort(far, kind="stable")[:12].tolist()
    spot = rng.random(2)
    away = np.linalg.norm(place - spot, axis=1)
    assert module("map/view.js", "nearest", cloud, *spot.tolist(), 1) == int(away.argmin())
    assert module("map/view.js", "nearest", cloud, *spot.tolist(), float(away.min()) * 0.9) == -1
    right = module("map/view.js", "nextInDirection", cloud, 7, [1, 0])
    assert right == 7 or place[right, 0] - place[7, 0] >= abs(place[right, 1] - place[7, 1])
    rightmost = int(place[:, 0].argmax())
    assert module("map/view.js", "nextInDirection", cloud, rightmost, [1, 0]) == rightmost


def test_colours_of_the_map(module: Call) -> None:
    call = lambda cloud, by: module.page.evaluate(  # type: ignore[attr-defined]  # noqa: E731
        "async ([cloud, by]) => { const { legend, of } = (await import('/map/colours.js')).coloured(cloud, by);"
        " return [...of].map((n) => legend[n].name); }",
        [cloud, by],
    )
    assert call({"tempo": [70, None, 125]}, "tempo") == ["under 80", "unknown", "120–140"]
    assert call({"folder": ["a/b", "", "a/c"]}, "folder") == ["a", "(no folder)", "a"]
    assert call({"folder": ["a/b/x", "a/b", "a/c"]}, "folder") == ["b", "b", "c"]  # all are in a
    assert call({"folder": ["a", "a"]}, "folder") == ["a", "a"]
    assert call({"kind": ["loop", "song", "loop"]}, "kind") == ["loops", "songs", "loops"]
    names = call({"folder": [str(n) for n in range(30)]}, "folder")
    assert len(set(names)) == 9
    assert names.count("22 others") == 22


def test_one_shots_are_heard_from_their_beginning(module: Call) -> None:
    song = {"start": 10, "end": 20, "tempo": 120, "kind": "song"}
    shot = {"start": 0, "end": 0.4, "tempo": None, "kind": "one-shot"}
    assert module("sound/beat_sync.js", "syncedPosition", song, shot, 15.3) == 0
    assert module("sound/beat_sync.js", "syncedPosition", shot, song, 0.3) == 10


def test_the_first_beat_is_found_from_onsets(module: Call) -> None:
    onsets = [0.21 + 0.5 * n for n in range(16)] + [0.46, 1.46, 2.335]  # 120 BPM, and a few between the beats
    assert module("sound/together.js", "firstBeat", onsets, 120) == pytest.approx(0.21, abs=0.004)


@pytest.mark.parametrize(
    ("from_", "to", "semitones"),
    [
        ("A minor", "C major", 0),
        ("C", "D", 2),
        ("C", "B", -1),
        ("Em", "F# minor", 2),
        ("Bb major", "G", -3),
        (None, "C", 0),
    ],
)
def test_the_shorter_way_from_key_to_key(module: Call, from_: str | None, to: str, semitones: int) -> None:
    assert module("sound/together.js", "transposition", from_, to) == semitones


def test_loops_are_stretched_by_less_than_half_an_octave(module: Call) -> None:
    assert module("sound/together.js", "stretchRate", 130, 100) == pytest.approx(1.3)
    assert module("sound/together.js", "stretchRate", 140, 70) == 1
    assert module("sound/together.js", "stretchRate", 90, 160) == pytest.approx(1.125)


def test_hits_of_a_song_are_replaced_by_one_shots(module: Call) -> None:
    """A song that is nothing but its drum stem: where its hits were there is the one-shot, as loud, and elsewhere the song."""
    out = module.page.evaluate(  # type: ignore[attr-defined]
        """async () => {
          const { gate, strike, without } = await import("/sound/together.js");
          const rate = 1000;
          const stem = Float32Array.from({ length: 1000 }, (_, n) => (n % 500 < 100 ? 0.4 : 0.1));
          const spans = [{ start: 0, end: 0.2 }, { start: 0.5, end: 0.7 }];
          const song = without([stem], stem, gate(1000, rate, spans));
          strike(song, rate, { shot: [new Float32Array(150).fill(0.8)], stem, spans });
          return [...song[0]];
        }"""
    )
    level = np.sqrt((100 * 0.4**2 + 20 * 0.1**2) / 120)  # of the stem over the first 120 ms
    assert out[50] == pytest.approx(level, abs=1e-6)
    assert out[550] == pytest.approx(level, abs=1e-6)
    assert out[190] == 0  # the hit is gone, and the one-shot over
    assert out[300] == pytest.approx(0.1)
    assert out[800] == pytest.approx(0.1)


def test_a_lasso_encircles_points(module: Call) -> None:
    square = [[0, 0], [10, 0], [10, 10], [0, 10]]
    assert module("map/view.js", "within", square, [5, 5])
    assert not module("map/view.js", "within", square, [15, 5])


def test_what_a_score_means_in_a_library(module: Call) -> None:
    scale = {"song": [n / 100 for n in range(101)]}
    hit = {"item": {"kind": "song"}, "score": 0.985}
    share = module("hits/why.js", "shareBelow", scale, hit)
    assert share == pytest.approx(0.985)
    assert module("hits/why.js", "topText", share) == "top 2 %"
    assert module("hits/why.js", "shareBelow", {}, hit) is None


@pytest.mark.parametrize(
    ("share", "deviations", "grade"),
    [
        (0.97, 2, "strong"),
        (1, 1.99, "fair"),  # the best of what is not that much alike
        (0.96, 5, "fair"),  # alike, as much else is
        (0.8, 1, "fair"),
        (1, 0.99, "weak"),
        (0.79, 5, "weak"),
        (1, -1, "weak"),
    ],
)
def test_a_grade_takes_rank_and_distance(module: Call, share: float, deviations: float, grade: str) -> None:
    assert module("hits/why.js", "gradeOf", share, deviations) == grade


def test_a_hit_is_graded_where_scores_tell_what_is_alike(module: Call) -> None:
    """Of 101 loops, two of which usually score 0.11 with a deviation of 0.17: 0.248 is 0.8 deviations above that."""
    result = {
        "scale": {"loop": [n / 400 for n in range(101)]},
        "usual": {"loop": {"mean": 0.11, "deviation": 0.17}},
        "weights": {"drums": 0.6, "vocals": -0.4},
        "silent": [],
    }

    def standing(score: float, **changes: Any) -> Any:
        scale = module("hits/why.js", "scaleOf", result | changes)
        return module("hits/why.js", "standingOf", scale, {"item": {"kind": "loop"}, "score": score})

    assert standing(0.248) == {
        "share": pytest.approx(0.992),
        "grade": "weak",
        "title": "top 1 % of the loops of this library; a usual score is 0.11, fair begins at 0.28, strong at 0.45",
    }
    assert standing(0.795)["grade"] == "strong"
    assert standing(0.449)["grade"] == "fair"
    ungraded = {"share": 1, "grade": None, "title": "top 1 % of the loops of this library"}
    assert standing(0.795, weights={"drums": -0.2, "mix": -0.2}) == ungraded
    assert standing(0.795, weights={"drums": 0.5, "mix": -0.5}) == ungraded
    assert standing(0.795, weights={"vocals": 0.6, "mix": -0.4}, silent=["vocals"]) == ungraded
    assert standing(0.795, usual={}) == ungraded
    assert standing(0.795, scale={}) is None


def test_contributions_are_compared_with_the_mean_of_the_list(module: Call) -> None:
    hits = [{"contributions": {"drums": 0.4, "bass": 0.1}}, {"contributions": {"drums": 0.2, "bass": 0.3}}]
    comparison = module("hits/why.js", "comparisonOf", hits)
    assert comparison["mean"] == pytest.approx({"drums": 0.3, "bass": 0.2})
    assert comparison["greatest"] == pytest.approx(0.1)
    text = module("hits/why.js", "whyText", hits[0]["contributions"], comparison["mean"])
    assert "drums +0.40: 0.10 more than the mean of this list" in text
    assert "bass +0.10: 0.10 less" in text


def test_the_list_is_ordered_by_a_column(module: Call) -> None:
    hits = [
        {"item": {"name": name, "title": None, "tempo": tempo, "key": None, "duration": 1}, "score": 1}
        for name, tempo in (("b", 120), ("C", None), ("a", 90))
    ]
    names = lambda column, down: [  # noqa: E731
        hit["item"]["name"] for hit in module("hits/sorting.js", "sorted", hits, {"column": column, "descending": down})
    ]
    assert names("name", False) == ["a", "b", "C"]
    assert names("tempo", True) == ["b", "a", "C"]  # what has none comes last
    assert names("score", True) == ["b", "C", "a"]


def test_a_group_of_onsets_is_named_after_what_is_nearest(module: Call) -> None:
    like = lambda sound_class, *near: module(  # noqa: E731
        "onset_names.js", "likeness", {"sound_class": sound_class, "near": [{"name": name} for name in near]}
    )
    assert like("kick", "drums/a.wav") == "like a kick"
    assert like("open hat") == "like an open hat"
    assert like(None, "drums/garage.kick.wav", "b.wav") == "near garage.kick"
    assert like(None) == ""  # none was looked for


def test_milliseconds_are_written_and_read(module: Call) -> None:
    for seconds in (0, 0.0005, 59.9996, 61.234):
        written = module("format.js", "clockMs", seconds)
        assert module("format.js", "parseSeconds", written) == pytest.approx(seconds, abs=6e-4)
    assert module("format.js", "clockMs", 59.9996) == "1:00.000"


def test_files_of_a_dropped_folder_are_found(module: Call) -> None:
    found = module.page.evaluate(  # type: ignore[attr-defined]
        """async () => {
          const { audioFiles } = await import("/dropped_files.js");
          const file = (name) => ({ isFile: true, isDirectory: false, name, file: (done) => done(new File(["x"], name)) });
          const folder = (name, children) => ({ isFile: false, isDirectory: true, name, createReader: () => {
            let left = [children, []];
            return { readEntries: (done) => done(left.shift() ?? []) };
          } });
          const dropped = folder("pack", [file("b.WAV"), folder("deep", [file("c.flac")]), file("cover.jpg")]);
          const files = await audioFiles({ entries: [dropped], files: [] }, [".wav", ".flac"]);
          let refusal = "";
          try {
            await audioFiles({ entries: [folder("x", [file("a.txt")])], files: [] }, [".wav"]);
          } catch (error) {
            refusal = error.message;
          }
          return [files.map((one) => one.name), refusal];
        }"""
    )
    assert found[0] == ["b.WAV", "c.flac"]
    assert "there is no audio file among what was dropped" in found[1]


@pytest.mark.parametrize(("part", "verb"), [("drums", "are"), ("bass", "is")])
def test_the_note_on_the_compared_part_agrees_with_it(module: Call, part: str, verb: str) -> None:
    note = module("compared_part.js", "comparisonNote", {"isClip": False}, part, "loops", part)
    assert note == f"The {part} of the reference {verb} compared with the mix of loops, which have no separate parts."


def test_notes_on_what_was_searched(module: Call) -> None:
    result = {
        "searched": 1,
        "absent": 3,
        "effective": {"bass": 1, "drums": 1, "vocals": 2},
        "silent": ["bass"],
        "same": True,
        "versions": [{"path": "a/b.wav"}],
        "share": 0.5,
    }
    notes = module("result_notes.js", "notesOn", result, {"alike": ["x"]}, {"kind": "song", "partial": True})
    assert notes.split(" · ") == [
        "1 song searched",
        "3 songs without drums or vocals not listed",
        "silent in the reference: bass",
        "the reference itself is left out",
        "1 version of it left out: b.wav",
        "moved by 1 answer",
        "only 50 % of the library: a machine of the cluster is down",
        "first hits, from a few windows; analysing all of it …",
    ]
    first = {"kind": "one-shot", "partial": False, "first": "snares"}
    notes = module(
        "result_notes.js",
        "notesOn",
        {**result, "absent": 0, "silent": [], "same": 0, "versions": [], "share": 1},
        {},
        first,
    )
    assert notes == "1 one-shot searched · snares first, unless others are much closer"
    assert module("result_notes.js", "reasonForNoHits", "loop", 0, True).startswith("this library has no loops")
    assert module("result_notes.js", "reasonForNoHits", "loop", 3, True) == "none of 3 loops matches these filters"


@pytest.mark.parametrize(
    ("changes", "asked", "kind", "expected"),
    [
        ({}, {}, "one-shot", "snares"),
        ({"sound_class": "percussion"}, {}, "one-shot", "percussion"),
        (
            {"class_preferred": False},
            {"same_class": "ignore"},
            "one-shot",
            "snares",
        ),  # switched off: it can be on again
        (
            {"class_preferred": False, "class_share": 0.9},
            {"same_class": "ignore"},
            "one-shot",
            None,
        ),  # no name states it
        ({"class_preferred": False, "class_share": 0.9}, {}, "one-shot", None),
        ({"sound_class": None, "class_preferred": False}, {}, "one-shot", None),
        ({}, {}, "loop", None),
        ({}, {"filters": {"classes": ["snare"]}}, "one-shot", None),  # there are no others
        ({}, {"filters": {"classes": ["kick", "percussion"]}}, "one-shot", None),
        ({}, {"filters": {"classes": ["kick", "snare"]}}, "one-shot", "snares"),
        ({"classes": {"snare": 9, "kick": 0, "": 0}}, {}, "one-shot", None),
        ({"classes": {"snare": 1, "kick": 5}, "same": 1}, {}, "one-shot", None),  # the only snare is the reference
    ],
)
def test_the_class_that_comes_first_is_named_where_it_makes_a_difference(
    module: Call, changes: dict[str, Any], asked: dict[str, Any], kind: str, expected: str | None
) -> None:
    result = {"sound_class": "snare", "class_share": None, "class_preferred": True, "same": 0}
    result["classes"] = {"snare": 3, "kick": 5, "percussion": 2, "": 4}
    assert module("same_class.js", "comingFirst", result | changes, {"filters": {}} | asked, kind) == expected


@pytest.mark.parametrize(("kind", "same_class"), [("one-shot", "ignore"), ("one-shot", "prefer"), ("song", "ignore")])
def test_the_class_is_ignored_only_where_one_shots_are_searched(module: Call, kind: str, same_class: str) -> None:
    question = {"id": {"item": "a"}, "sound": {"kind": "one-shot"}, "answers": [], "group": None, "region": None}
    options = {"question": question, "weights": None, "part": "mix", "profile": None, "filters": {"kinds": [kind]}}
    sent = module("search.js", "requestOf", {**options, "kind": kind, "sameClass": same_class})
    assert sent.get("same_class") == ("ignore" if (kind, same_class) == ("one-shot", "ignore") else None)


WATCH = """async (steps) => {
  const { Watch } = await import("/watch.js");
  const { fetch, setInterval } = window;
  const seen = [];
  let answer;
  window.setInterval = () => 0; // it checks when this test has it do so
  window.fetch = () => new Promise((resolve) => (answer = resolve));
  try {
    const onChange = ({ now, before }) => seen.push([before, now]);
    const watch = new Watch({ shown: { state: "a", items: 1 }, onChange, onGone: () => {}, onBack: () => {} });
    for (const { taken, late, found } of steps) {
      if (taken && !late) watch.take(taken);
      const checked = watch.check();
      if (taken && late) watch.take(taken); // while the server answers
      answer(new Response(JSON.stringify(found)));
      await checked;
    }
  } finally {
    Object.assign(window, { fetch, setInterval });
  }
  return seen;
}"""


@pytest.mark.parametrize("late", [False, True])
def test_a_library_that_the_page_has_reloaded_is_no_news(module: Call, late: bool) -> None:
    a, b, c = ({"state": state, "items": items} for state, items in (("a", 1), ("b", 60), ("c", 61)))
    watch = lambda *steps: module.page.evaluate(WATCH, list(steps))  # type: ignore[attr-defined]  # noqa: E731
    assert watch({"found": a}, {"found": b}, {"found": b}) == [[1, 60]]
    assert watch({"taken": b, "late": late, "found": a if late else b}, {"found": b}) == []
    assert watch({"taken": b, "late": late, "found": b}, {"found": c}, {"found": c}) == [[60, 61]]

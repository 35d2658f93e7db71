"""Modules of the listening test's page: the mixer, the tones of the headphone check, Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.made_up_listening_test import write_listening_test
from tests.web.listening_test.test_listening_page import ServedTest

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RATE = 44_100

# Each excerpt's samples are the seconds since its start, plus 2 for A and 4 for B, so that a sample tells which excerpt is
# heard and where. Actions happen at the given seconds of the rendering.
RENDER = """
  async ([actions, seconds, durations]) => {
    const { TrialMixer } = await import("/listening_test/mixer.js");
    const rate = 44100;
    const context = new OfflineAudioContext(1, seconds * rate, rate);
    const buffers = {};
    for (const [side, offset] of [["x", 1], ["a", 3], ["b", 5]]) {
      const buffer = new AudioBuffer({ length: durations[side] * rate, sampleRate: rate });
      buffer.getChannelData(0).set(Float32Array.from({ length: buffer.length }, (_, n) => offset + n / rate));
      buffers[side] = buffer;
    }
    const mixer = new TrialMixer(context, context.destination, buffers);
    const seen = [];
    const act = (name, value) => {
      mixer[name](value);
      seen.push({ time: context.currentTime, position: mixer.position, side: mixer.side, heard: mixer.heard });
    };
    for (const [time, name, value] of actions) {
      if (time) context.suspend(time).then(() => { act(name, value); context.resume(); });
      else act(name, value);
    }
    const rendered = await context.startRendering();
    return { samples: Array.from(rendered.getChannelData(0)), seen, heard: mixer.heard, switches: mixer.switches };
  }
"""


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An empty page of the test's server."""
    folder = write_listening_test(tmp_path_factory.mktemp("modules"), triplets=1, seconds=0.1)
    with ServedTest(folder) as running:
        opened = browser.new_page()
        opened.goto(f"{running.address}nothing")
        yield opened
        opened.close()


@pytest.fixture
def render(page: Any) -> Callable[..., dict[str, Any]]:
    """What the mixer plays, sample by sample."""

    def rendered(*actions: tuple[Any, ...], seconds: float = 1.0, **durations: float) -> dict[str, Any]:
        found = page.evaluate(RENDER, [actions, seconds, {"x": 0.5, "a": 0.5, "b": 0.5, **durations}])
        return {**found, "samples": np.array(found["samples"])}

    return rendered


def heard_sides(samples: Array) -> tuple[list[str], Array]:
    """Which excerpt each sample is from ('-' for silence and fades), and its position in the excerpt."""
    sides = np.select([(samples >= low) & (samples < low + 1) for low in (1, 3, 5)], [0, 1, 2], -1)
    return ["-xab"[one + 1] for one in sides], samples % 1


def test_a_switch_moves_nothing_and_leaves_no_gap(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), (0.15, "switchTo", "a"), (0.25, "switchTo", "b"), (0.4, "switchTo", "x"))
    samples = found["samples"]
    start = int(np.flatnonzero(samples > 0)[0])
    assert start / RATE == pytest.approx(0.03, abs=0.002)
    # Position: in every sample outside the 20 ms ramps, which begin 20 ms after a switch, it is the time since the start, modulo
    # the length of half a second.
    inside = np.ones(len(samples), bool)
    inside[: start + round(0.021 * RATE)] = False
    for time in (entry["time"] for entry in found["seen"][1:]):
        inside[round((time + 0.018) * RATE) : round((time + 0.042) * RATE)] = False
    sides, positions = heard_sides(samples)
    expected = (np.arange(len(samples)) - start + 1) / RATE % 0.5
    wrapped = np.abs((positions - expected + 0.25) % 0.5 - 0.25)
    assert wrapped[inside].max() < 2 / RATE
    order = "".join(side for side, ok in zip(sides, inside, strict=True) if ok)
    assert [side for n, side in enumerate(order) if n == 0 or side != order[n - 1]] == list("xabx")
    # No gap: the weaker of the two excerpts is the least that is heard during a ramp of equal power.
    assert samples[start + round(0.021 * RATE) :].min() > 1 - 1e-6


def test_ramps_have_equal_power(page: Any) -> None:
    up, down, ramp = page.evaluate(
        "import('/listening_test/crossfade.js').then((m) => [[...m.rampCurve(true)], [...m.rampCurve(false)], m.RAMP])"
    )
    np.testing.assert_allclose(np.square(up) + np.square(down), 1, atol=1e-6)
    assert (up[0], up[-1], down[0], down[-1]) == (0, 1, 1, 0)
    assert 0.01 <= ramp <= 0.05


def test_switches_in_quick_succession_follow_each_other(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), *((0.2 + 0.004 * n, "switchTo", "abx"[n % 3]) for n in range(5)))
    samples = found["samples"]
    assert found["switches"] == 5
    assert found["seen"][-1]["side"] == "b"
    assert samples[round(0.06 * RATE) :].min() > 1 - 1e-6
    assert set(heard_sides(samples[round(0.36 * RATE) :])[0]) == {"b"}


def test_pausing_keeps_the_position(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), (0.2, "pause"), (0.4, "switchTo", "b"), (0.5, "play"))
    paused, again = found["seen"][1], found["seen"][3]
    assert paused["position"] == pytest.approx(paused["time"] - 0.03, abs=0.004)
    assert again["position"] == pytest.approx(paused["position"], abs=1e-6)
    samples = found["samples"]
    assert np.abs(samples[round(0.24 * RATE) : round(0.5 * RATE)]).max() == 0
    first = round((again["time"] + 0.06) * RATE)
    sides, positions = heard_sides(samples[first : first + 100])
    assert set(sides) == {"b"}
    assert positions[0] == pytest.approx(paused["position"] + 0.03, abs=0.004)


def test_seeking_moves_all_three(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), (0.2, "seek", 0.4), (0.26, "switchTo", "a"), (0.5, "seek", 7))
    assert found["seen"][1]["position"] == pytest.approx(0.4, abs=1e-6)
    assert found["seen"][3]["position"] == pytest.approx(0.499, abs=1e-6)
    sides, positions = heard_sides(found["samples"])
    at = round(0.32 * RATE)
    assert sides[at] == "a"
    # Sought at 0.2 s, it starts when the ramp down has ended or all sources are ready.
    assert positions[at] == pytest.approx((0.4 + 0.32 - 0.2 - 0.03) % 0.5, abs=0.006)


def test_excerpts_of_different_lengths_repeat_together(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), (0.5, "switchTo", "b"), a=0.4, b=0.3, seconds=0.9)
    positions = heard_sides(found["samples"])[1]
    at = round(0.8 * RATE)
    assert positions[at] == pytest.approx((0.8 - 0.03) % 0.3, abs=0.004)


def test_what_was_heard_is_counted_for_each_side(render: Callable[..., dict[str, Any]]) -> None:
    found = render((0, "play"), (0.23, "switchTo", "b"), (0.43, "pause"), (0.6, "switchTo", "a"), (0.7, "play"))
    assert found["heard"] == pytest.approx({"x": 0.2, "a": 0.27, "b": 0.2}, abs=0.01)
    assert found["switches"] == 2


def test_excerpts_repeat_without_a_click(page: Any) -> None:
    found = np.array(
        page.evaluate(
            """import("/listening_test/crossfade.js").then(({ softenEnds }) => {
                 const samples = new Float32Array(2000).fill(1);
                 softenEnds(samples, 44100);
                 return [...samples];
               })"""
        )
    )
    assert found[0] == found[-1] == 0
    assert (found[221:-221] == 1).all()
    assert np.abs(np.diff(found)).max() < 0.01


def tones(page: Any, quiet: int, opposed: int) -> Array:
    found = page.evaluate(
        """async (round) => {
          const { toneSamples } = await import("/listening_test/tones.js");
          return toneSamples(round, 8000).map((channel) => [...channel]);
        }""",
        {"quiet": quiet, "opposed": opposed},
    )
    return np.array(found)


@pytest.mark.parametrize(("quiet", "opposed"), [(0, 1), (1, 2), (2, 0)])
def test_one_tone_is_quieter_and_one_cancels_over_loudspeakers(page: Any, quiet: int, opposed: int) -> None:
    left, right = tones(page, quiet, opposed)
    assert len(left) == 32_000  # three tones of 1 s, two gaps of 0.5 s
    level = lambda samples: [float(np.sqrt(np.mean(samples[n : n + 8000] ** 2))) for n in (0, 12_000, 24_000)]  # noqa: E731
    for ear in (left, right):
        decibels = 20 * np.log10(np.array(level(ear)) / max(level(ear)))
        assert decibels[quiet] == pytest.approx(-6, abs=0.01)
        assert np.delete(decibels, quiet) == pytest.approx(0, abs=0.01)
    in_the_air = level(left + right)
    assert int(np.argmin(in_the_air)) == opposed
    assert in_the_air[opposed] == pytest.approx(0, abs=1e-9)
    assert np.abs(left[8000:12_000]).max() == 0
    spectrum = np.abs(np.fft.rfft(left[:8000]))
    assert int(spectrum.argmax()) == 200  # Hz
    assert np.abs(np.diff(left)).max() < 0.25 * 2 * np.pi * 200 / 8000 * 1.01  # ramps: no click


def test_headphone_rounds_are_the_six_orders(page: Any) -> None:
    rounds = page.evaluate("import('/listening_test/tones.js').then(({ toneRounds }) => toneRounds())")
    assert sorted((one["quiet"], one["opposed"]) for one in rounds) == [
        (quiet, opposed) for quiet in range(3) for opposed in range(3) if quiet != opposed
    ]
    assert page.evaluate("import('/listening_test/tones.js').then(({ ROUNDS, NEEDED }) => [ROUNDS, NEEDED])") == [6, 5]


def markdown(page: Any, text: str) -> str:
    return str(
        page.evaluate(
            """async (text) => {
              const { blocks } = await import("/listening_test/markdown.js");
              return blocks(text).map((one) => one.outerHTML).join("");
            }""",
            text,
        )
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one two</p><p>three</p>"),
        ("**bold** and *slanted `code`*", "<p><strong>bold</strong> and <em>slanted <code>code</code></em></p>"),
        ("- a\n- b\n  goes on\n\n- c\n\nafter", "<ul><li>a</li><li>b goes on</li><li>c</li></ul><p>after</p>"),
        ("1. a\n2. b\n- c", "<ol><li>a</li><li>b</li></ol><ul><li>c</li></ul>"),
        ("### Title\ntext", "<h2>Title</h2><p>text</p>"),
        ("2 * 3 * 4 and a_b_c", "<p>2 * 3 * 4 and a_b_c</p>"),
        ("", ""),
        (
            "[us](https://a.example/x?y=1)",
            '<p><a href="https://a.example/x?y=1" target="_blank" rel="noopener noreferrer">us</a></p>',
        ),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("[press](javascript:alert(1))", "<p>press)</p>"),
        ("[press](data:text/html,x)", "<p>press</p>"),
        ('**<b onclick="x">**', '<p><strong>&lt;b onclick="x"&gt;</strong></p>'),
    ],
)
def test_markdown_becomes_harmless_elements(page: Any, text: str, html: str) -> None:
    assert markdown(page, text) == html

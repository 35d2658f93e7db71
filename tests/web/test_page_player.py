"""What is heard: the player with sounds that load when the test has them load, so that every order of events is tried."""

from __future__ import annotations

from typing import Any

import pytest

SETUP = """async () => {
  const { Player } = await import("/sound/player.js");
  window.log = [];
  window.made = [];
  const onProblem = ({ message }) => log.push(`problem: ${message}`);
  window.player = new Player({ onState: () => {}, onTick: () => {}, onProblem });
  player.preload = () => {};
  player.makePlayback = (source) => {
    const loaded = Promise.withResolvers();
    const playback = {
      source, loaded, playing: false, position: source.start,
      load: () => loaded.promise,
      start: async (at) => {
        log.push(`${playback.source.name} at ${at}`);
        Object.assign(playback, { playing: true, position: at });
      },
      stop: () => { if (playback.playing) log.push(`${playback.source.name} stops`); playback.playing = false; },
      loop: () => {},
      close: () => playback.stop(),
    };
    made.push(playback);
    return playback;
  };
  window.source = (name, changes = {}) => ({
    url: name, name, start: 0, end: 10, offset: 0, loudness: null, tempo: null, short: true, kind: "song", ...changes,
  });
  /** Has a sound load, or fail to. */
  window.load = async (name, problem) => {
    const { loaded } = made.findLast(({ source }) => source.name === name);
    if (problem) loaded.reject(new Error(problem)); else loaded.resolve();
    await settle();
  };
  window.settle = () => new Promise((resolve) => setTimeout(resolve));
  /** A sound comes to its end. */
  window.end = (name) => {
    const playback = made.findLast(({ source }) => source.name === name);
    playback.playing = false;
    player.ended(playback);
  };
  window.play = (...values) => { player.play(...values).catch(onProblem); };
  window.change = (...values) => { player.switchSide(...values).catch(onProblem); };
  player.set("reference", source("song", { end: 60 }));
  player.set("hit", source("shot", { kind: "one-shot" }));
  player.set("both", source("both", { start: 20, end: 32, offset: 20 }));
  player.set("stroke", source("stroke", { start: 40, end: 40.3, stops: true }));
}"""


@pytest.fixture
def player(modules: Any) -> Any:
    """Runs a script on a new player with four sounds: what it heard in order, what is heard now, what is chosen and loads."""
    modules.evaluate(SETUP)

    def run(script: str) -> dict[str, Any]:
        state = "{ log, heard: player.heard?.voice ?? null, side: player.side, loading: player.loading }"
        return dict(modules.evaluate(f"async () => {{ {script}; await settle(); return {state}; }}"))

    return run


def state(heard: str | None, side: str, *log: str, loading: bool = False) -> dict[str, Any]:
    return {"heard": heard, "side": side, "loading": loading, "log": list(log)}


def test_a_stroke_that_ends_does_not_end_what_is_loading(player: Any) -> None:
    assert player("play('stroke'); await load('stroke')") == state("stroke", "hit", "stroke at 40")
    assert player("change('both')") == state("stroke", "both", "stroke at 40", loading=True)
    assert player("end('stroke')") == state(None, "both", "stroke at 40", loading=True)
    assert player("await load('both')") == state("both", "both", "stroke at 40", "both at 20")


@pytest.mark.parametrize(("side", "name", "at"), [("reference", "song", 0), ("hit", "shot", 0), ("both", "both", 20)])
def test_a_side_that_is_chosen_during_a_stroke_is_heard_from_its_start(
    player: Any, side: str, name: str, at: int
) -> None:
    player("play('stroke'); await load('stroke')")
    heard = player(f"change('{side}'); await load('{name}')")
    assert heard == state(side, side, "stroke at 40", f"{name} at {at}", "stroke stops")


def test_a_stroke_leaves_what_is_chosen(player: Any) -> None:
    """Play after a stroke, or during it, plays the side from before, from where it was."""
    player("play('both'); await load('both'); player.heard.playback.position = 25")
    assert player("play('stroke'); await load('stroke')")["log"][1:] == ["stroke at 40", "both stops"]
    assert player("player.toggle()") == state(
        "both", "both", "both at 20", "stroke at 40", "both stops", "both at 25", "stroke stops"
    )


def test_a_second_stroke_is_heard_whole(player: Any) -> None:
    player("play('stroke'); await load('stroke')")
    second = (
        "player.set('stroke', source('later', { url: 'stroke', start: 50, end: 50.3, stops: true })); play('stroke')"
    )
    assert player(second) == state("stroke", "hit", "stroke at 40", "later at 50")


def test_pause_ends_what_is_loading_too(player: Any) -> None:
    player("play('stroke'); await load('stroke'); change('both')")
    assert player("player.toggle()") == state(None, "both", "stroke at 40", "stroke stops")
    assert player("await load('both')") == state(None, "both", "stroke at 40", "stroke stops")


def test_the_last_of_several_choices_counts(player: Any) -> None:
    player("change('both'); change('hit'); change('reference')")
    assert player("await load('both'); await load('shot')") == state(None, "reference", loading=True)
    assert player("await load('song')") == state("reference", "reference", "song at 0")


def test_what_is_loading_follows_its_source(player: Any) -> None:
    """A+B was pressed, and then the hits of the pad have arrived: the best one is heard, not the one of before."""
    player("change('both'); player.set('both', source('best', { start: 5, offset: 5 }))")
    assert player("await load('both')") == state(None, "both", loading=True)
    assert player("await load('best')") == state("both", "both", "best at 5")


def test_what_is_heard_follows_its_source(player: Any) -> None:
    player("play('both'); await load('both'); player.set('both', source('best')); await load('best')")
    assert player("") == state("both", "both", "both at 20", "both stops", "best at 0")
    assert player("player.set('both', null)") == state(
        None, "both", "both at 20", "both stops", "best at 0", "best stops"
    )
    assert player("player.set('hit', source('other'))")["heard"] is None  # it was not heard


def test_a_sound_that_cannot_be_loaded_leaves_what_is_heard(player: Any) -> None:
    player("play('reference'); await load('song'); change('both'); await load('both', 'no such stem')")
    assert player("") == state("reference", "reference", "song at 0", "problem: no such stem")
    assert player("change('both'); await load('both')")["heard"] == "both"  # the next attempt begins from nothing


def test_a_failure_of_what_is_no_longer_wanted_is_not_reported(player: Any) -> None:
    player("change('both'); player.set('both', source('best')); await load('both', 'gone'); await load('best')")
    assert player("") == state("both", "both", "best at 0")
    player("change('hit'); player.pause(); await load('shot', 'gone')")
    assert player("")["log"] == ["best at 0", "best stops"]


def test_another_question_ends_everything(player: Any) -> None:
    player("play('stroke'); await load('stroke'); change('both'); player.reset()")
    assert player("await load('both')") == state(None, "hit", "stroke at 40", "stroke stops")
    assert player("player.toggle()")["heard"] is None


def test_the_song_and_the_hit_in_it_are_heard_at_the_same_second(player: Any) -> None:
    player(
        "play('both'); await load('both'); player.heard.playback.position = 27; change('reference'); await load('song')"
    )
    assert player("")["log"] == ["both at 20", "song at 27", "both stops"]
    assert player("player.heard.playback.position = 30; change('both')")["log"][3:] == ["both at 30", "song stops"]
    player("change('reference'); await settle(); player.heard.playback.position = 50; change('both')")
    assert player("")["log"][-2:] == ["both at 20", "song stops"]  # the second is not in it

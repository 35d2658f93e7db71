"""The page of a listening test in a real browser."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import read_design
from soundalike.listening.schedule import trials
from soundalike.web.listening_test import trial_sessions
from soundalike.web.listening_test.listening_app import create_listening_app
from soundalike.web.server import server_config
from tests.made_up_listening_test import write_listening_test
from tests.web.conftest import Running
from tests.web.pages import PATIENCE, until
from tests.web.test_page_access import SERIOUS

# Tones end at once; how they sound is tested in test_listening_modules.py.
QUICK_TONES = """
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...values) {
    start.apply(this, values);
    if (!this.loop) setTimeout(() => this.dispatchEvent(new Event("ended")), 30);
  };
"""

STATE = """
  import("./listening_test/test_page.js").then(({ view, sound }) => ({
    playing: view.mixer?.playing ?? false, position: view.mixer?.position ?? null, side: view.mixer?.side ?? null,
    switches: view.mixer?.switches ?? null, heard: view.mixer?.heard ?? null, level: sound.level(),
    now: sound.open().context.currentTime, duration: view.mixer?.duration ?? null,
  }))
"""


class ServedTest(Running):
    """The server of a listening test in this process, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        threading.Thread.__init__(self, daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(server_config(create_listening_app(folder), log_level="critical"))


@pytest.fixture(params=[{"triplets": 3, "seconds": 2.0}])
def folder(request: Any, tmp_path: Path) -> Path:
    return write_listening_test(tmp_path, **request.param)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> str:
    """Answers count after a tenth of a second; a script that tells the page so."""
    monkeypatch.setattr(trial_sessions, "MIN_HEARD", 0.05)
    return "import('./listening_test/test_page.js').then(({ view }) => { view.minHeard = 0.1; })"


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with ServedTest(folder) as running:
        yield running.address


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page of a listener in a browser context of its own; no script may fail."""
    faults: list[str] = []
    contexts = []

    def open_page(listener: Listener | None, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                message.type == "error"
                and "Failed to load resource" not in message.text
                and faults.append(message.text)
            ),
        )
        page.set_default_timeout(30_000)
        page.add_init_script(QUICK_TONES)
        page.goto(f"{address}#{listener.token if listener else ''}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def ready(store: AnswerStore) -> Callable[[], Listener]:
    """Invites a listener who has been through everything before the trials."""

    def invite() -> Listener:
        (listener,) = store.invite()
        store.record_consent(listener.name)
        store.record_headphones(listener.name, 6, 6)
        store.record_practice(listener.name)
        return listener

    return invite


def state(page: Any) -> dict[str, Any]:
    return dict(page.evaluate(STATE))


def heading(page: Any, text: str) -> None:
    until(page, f"document.querySelector('#heading').textContent.startsWith({text!r})")


def begin(page: Any) -> None:
    """Go from the address to the first trial."""
    page.wait_for_selector("#actions button, #trial:not([hidden])")
    if page.is_visible("#level-play"):
        page.click("#choice-continue")
        until(page, "document.querySelector('#level').hidden && !!document.querySelector('#choice-continue')")
    page.click("#choice-continue")
    shown(page)


def shown(page: Any) -> None:
    """Wait until a trial is shown and its music plays."""
    page.wait_for_selector("#trial:not([hidden])")
    until(page, "import('./listening_test/test_page.js').then(({ view }) => view.mixer !== null)")


def listen(page: Any, keys: str = "123") -> None:
    """Hear X, A and B for as long as it takes until an answer counts."""
    for key in keys:
        page.keyboard.press(key)
        until(page, f"document.querySelectorAll('#sides button')[{int(key) - 1}].textContent.includes('✓')")
    until(page, "[...document.querySelectorAll('#grades button')].every((button) => !button.disabled)")


def answer(page: Any, key: str) -> None:
    """Answer, and wait until the server has taken it."""
    with page.expect_response("**/answer"):
        page.keyboard.press(key)


def test_who_uses_loudspeakers_says_so_and_needs_no_check(opened: Callable[..., Any], store: AnswerStore) -> None:
    (listener,) = store.invite()
    page = opened(listener)
    page.click("#choice-agree")
    page.click("#choice-continue")
    heading(page, "Are you wearing headphones?")
    page.click("#tones-play")
    page.locator("#heading").focus()
    page.keyboard.press("Enter")  # it is not the usual choice
    heading(page, "Are you wearing headphones?")
    assert store.by_name("L01").headphones is None
    page.click("#choice-loudspeakers")  # while the tones are heard
    heading(page, "How it works")
    assert store.by_name("L01").headphones == (0, 0)
    page.reload()
    heading(page, "How it works")  # no check again


def test_from_the_link_to_the_thanks(opened: Callable[..., Any], store: AnswerStore, folder: Path, quick: str) -> None:
    (listener,) = store.invite()
    page = opened(listener)
    heading(page, "Welcome")
    assert store.by_name("L01").consented_at is None
    page.click("#choice-agree")
    heading(page, "Set the volume")
    assert store.by_name("L01").consented_at is not None
    page.click("#level-play")
    until(page, "import('./listening_test/test_page.js').then(({ sound }) => sound.level() > 0.01)")
    page.click("#choice-continue")
    heading(page, "Are you wearing headphones?")
    for number in range(6):
        until(page, f"document.querySelector('#count').textContent === 'Round {number + 1} of 6'")
        assert page.locator("#tones button:enabled").count() == 0
        page.click("#tones-play")
        page.wait_for_selector("#tones button:enabled")
        page.keyboard.press("2")
    page.wait_for_selector("#choice-again")  # each place is the quietest one twice in six rounds
    assert store.by_name("L01").headphones == (2, 6)
    page.click("#choice-continue")
    heading(page, "How it works")
    page.click("#choice-begin")
    page.evaluate(quick)
    for trial in page.evaluate("import('./listening_test/test_api.js').then((api) => api.session())")["practice"]:
        shown(page)
        listen(page)
        page.keyboard.press("6" if trial["same"] == "a" else "8")
        page.wait_for_selector("#message[data-kind=right]")
        page.keyboard.press("Enter")
    heading(page, "Which sounds more like X?")
    until(page, "document.querySelector('#trial').hidden")
    assert store.by_name("L01").practised_at is not None
    page.keyboard.press("Enter")
    schedule = trials(read_design(folder), 0)
    for number, trial in enumerate(schedule):
        shown(page)
        assert page.text_content("#count") == f"{number + 1} of {len(schedule)}"
        listen(page)
        answer(page, "67890"[number % 5])
        assert store.records()[-1].trial == trial.id
    heading(page, "Thank you!")
    kept = {record.trial: record for record in store.records()}
    assert list(kept) == [trial.id for trial in schedule]
    given = ["A+", "A-", "B-", "B+", "cant_tell"]
    other = ["B+", "B-", "A-", "A+", "cant_tell"]
    assert [kept[one.id].answer for one in schedule] == [
        (other if one.swapped else given)[number % 5] for number, one in enumerate(schedule)
    ]
    assert all(record.switches >= 2 and record.seconds > 0 for record in kept.values())
    page.reload()
    heading(page, "Thank you!")


def test_a_wrong_answer_in_practice_is_explained(opened: Callable[..., Any], store: AnswerStore, quick: str) -> None:
    (listener,) = store.invite()
    store.record_consent("L01")
    store.record_headphones("L01", 6, 6)
    page = opened(listener)
    page.click("#choice-continue")
    page.click("#choice-begin")
    page.evaluate(quick)
    shown(page)
    listen(page)
    page.keyboard.press("0")
    page.wait_for_selector("#message[data-kind=wrong]")
    page.click("#choice-again")
    shown(page)
    assert store.by_name("L01").practised_at is None
    assert store.records() == []


def test_two_listeners_at_once_a_reload_and_a_closed_browser(
    opened: Callable[..., Any], store: AnswerStore, folder: Path, ready: Callable[[], Listener], quick: str
) -> None:
    first, second = ready(), ready()
    pages = [opened(first), opened(second)]
    for page in pages:
        begin(page)
        page.evaluate(quick)
    for page in pages:
        listen(page)
    for page, key in zip(pages, "69", strict=True):
        answer(page, key)
    # One reloads in mid-trial, after hearing it.
    shown(pages[0])
    count = pages[0].text_content("#count")
    pages[0].keyboard.press("2")
    pages[0].reload()
    # The other closes the browser in mid-trial and comes back with a new one.
    shown(pages[1])
    pages[1].keyboard.press("3")
    pages[1].context.close()
    pages[1] = opened(second)
    for page in pages:
        begin(page)
        page.evaluate(quick)
    assert pages[0].text_content("#count") == pages[1].text_content("#count") == count == "2 of 4"
    lists = [trials(read_design(folder), number) for number in range(2)]
    for _ in range(3):
        for page in pages:
            shown(page)
            listen(page)
            answer(page, "7")
    for page, schedule, listener in zip(pages, lists, (first, second), strict=True):
        heading(page, "Thank you!")
        assert [record.trial for record in store.records(listener.name)] == [trial.id for trial in schedule]
    assert set(Counter((record.listener, record.trial) for record in store.records()).values()) == {1}


def test_two_pages_of_one_listener_answer_each_trial_once(
    opened: Callable[..., Any], store: AnswerStore, ready: Callable[[], Listener], quick: str
) -> None:
    listener = ready()
    pages = [opened(listener), opened(listener)]
    for page in pages:
        begin(page)
        page.evaluate(quick)
        listen(page)
    answer(pages[0], "6")
    shown(pages[0])
    listen(pages[0])
    answer(pages[0], "6")
    answer(pages[1], "9")  # of the first trial: it was answered
    until(pages[1], "document.querySelector('#count').textContent === '3 of 4'")
    assert len(store.records()) == 2
    assert all(record.answer in ("A+", "B+") for record in store.records())


def attempted(page: Any, attempts: list[Any], number: int) -> Any:
    """Wait until the page sends its answer for the so-manyth time; what decides what becomes of that request."""
    end = time.monotonic() + PATIENCE
    while len(attempts) < number:
        assert time.monotonic() < end, f"{len(attempts)} attempts instead of {number}"
        page.wait_for_timeout(30)
    return attempts[number - 1]


def test_an_answer_survives_a_bad_connection(
    opened: Callable[..., Any], store: AnswerStore, ready: Callable[[], Listener], quick: str
) -> None:
    page = opened(ready())
    begin(page)
    page.evaluate(quick)
    listen(page)
    attempts: list[Any] = []
    page.route("**/answer", lambda route: attempts.append(route))
    page.keyboard.press("8")
    attempted(page, attempts, 1).abort()  # it never arrives
    second = attempted(page, attempts, 2)
    assert page.get_attribute("#message", "data-kind") == "wrong"
    assert "trying again" in page.text_content("#message")
    second.fetch()  # it arrives, but its response is lost
    second.abort()
    third = attempted(page, attempts, 3)
    assert page.get_attribute("#message", "data-kind") == "wrong"
    third.continue_()
    until(page, "document.querySelector('#count').textContent === '2 of 4'")
    assert len(attempts) == 3
    assert len({route.request.post_data for route in attempts}) == 1
    assert len(store.records()) == 1


def test_answers_wait_until_all_three_were_heard(
    opened: Callable[..., Any], store: AnswerStore, ready: Callable[[], Listener]
) -> None:
    page = opened(ready())
    begin(page)
    for keys, marks in (("6", 0), ("1", 1), ("26", 2)):
        for key in keys:
            page.keyboard.press(key)
        until(page, f"document.querySelector('#sides').textContent.split('✓').length - 1 >= {marks}")
        page.keyboard.press("7")
        assert page.locator("#grades button:enabled").count() == 0
    assert "Listen to X, A and B" in page.text_content("#hint")
    page.keyboard.press("3")
    until(page, "[...document.querySelectorAll('#grades button')].every((button) => !button.disabled)")
    heard = state(page)["heard"]
    assert min(heard.values()) >= 1
    assert store.records() == []
    answer(page, "9")
    (record,) = store.records()
    assert record.switches == 2
    assert sum((record.listened_x, record.listened_a, record.listened_b)) <= record.seconds + 0.1
    assert min(record.listened_x, record.listened_a, record.listened_b) >= 1


RECORD = """
  async ([keys, act]) => {
    const { sound, view } = await import("./listening_test/test_page.js");
    const { context, meter } = sound.open();
    const recorder = context.createScriptProcessor(1024, 1, 1);
    const samples = [];
    recorder.onaudioprocess = (event) => samples.push(...event.inputBuffer.getChannelData(0));
    meter.connect(recorder).connect(context.destination);
    const positions = [];
    const note = () => {
      let time, position;
      do [time, position] = [context.currentTime, view.mixer.position];
      while (context.currentTime !== time); // the clock may go on between two statements
      positions.push([time, position, view.mixer.side]);
    };
    for (const key of keys) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      note();
      if (act === "switch") document.dispatchEvent(new KeyboardEvent("keydown", { key, code: `Digit${key}`, bubbles: true }));
      else view.mixer.seek(view.mixer.position); // stops and starts all three, as a page without a common position would
      note();
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    recorder.disconnect();
    return { samples, rate: context.sampleRate, positions };
  }
"""


def recorded_power(found: dict[str, Any]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """RMS of each 10 ms of a recording, from its first sound on, relative to the median."""
    samples = np.array(found["samples"])
    samples = samples[np.flatnonzero(np.abs(samples) > 1e-3)[0] :]
    block = round(0.01 * found["rate"])
    power = np.sqrt(np.mean(samples[: len(samples) // block * block].reshape(-1, block) ** 2, axis=1))
    assert len(power) > 100
    return np.asarray(power / np.median(power))


@pytest.mark.parametrize("folder", [{"triplets": 3, "seconds": 30.0}], indirect=True)
def test_switching_has_no_gap_and_keeps_the_position(opened: Callable[..., Any], ready: Callable[[], Listener]) -> None:
    """What goes to the loudspeakers is recorded in the page while the listener switches sixteen times."""
    page = opened(ready())
    begin(page)
    until(page, "import('./listening_test/test_page.js').then(({ sound }) => sound.level() > 0.01)")
    found = page.evaluate(RECORD, [list("2312132313213212"), "switch"])
    power = recorded_power(found)
    assert power.min() > 0.6
    assert power.max() < 1.5
    times, positions, sides = zip(*found["positions"], strict=True)
    assert "".join(sides[1::2]) == "abxaxbabxbaxbaxa"
    np.testing.assert_allclose(np.diff(positions), np.diff(times), atol=1e-6)
    assert times[-1] - times[0] > 1
    # What the figures are worth: music that stops and starts again has gaps.
    assert recorded_power(page.evaluate(RECORD, [list("123123"), "seek"])).min() < 0.1


def test_music_advances_pauses_and_moves(opened: Callable[..., Any], ready: Callable[[], Listener]) -> None:
    page = opened(ready())
    begin(page)
    until(page, "import('./listening_test/test_page.js').then(({ sound }) => sound.level() > 0.01)")
    first = state(page)
    page.wait_for_timeout(200)
    second = state(page)
    assert second["position"] != first["position"]
    page.locator("#heading").focus()
    page.keyboard.press("Space")
    until(page, "import('./listening_test/test_page.js').then(({ sound }) => sound.level() < 1e-4)")
    assert not state(page)["playing"]
    before = state(page)["position"]
    page.keyboard.press("ArrowRight")
    assert state(page)["position"] == pytest.approx((before + 1) % 2, abs=1e-3)
    page.keyboard.press("ArrowLeft")
    assert state(page)["position"] == pytest.approx(before, abs=1e-3)
    page.keyboard.press("a")  # starts again, with A
    until(page, "import('./listening_test/test_page.js').then(({ sound }) => sound.level() > 0.01)")
    assert state(page)["side"] == "a"
    page.evaluate("import('./listening_test/test_page.js').then(({ view }) => { view.minHeard = 60; })")
    page.click("#side-a")  # not heard long enough yet: go on
    assert state(page)["playing"]
    page.evaluate("import('./listening_test/test_page.js').then(({ view }) => { view.minHeard = 0; })")
    page.click("#side-a")  # heard already: pause
    assert not state(page)["playing"]
    page.locator("#position").fill("0.5")
    assert state(page)["position"] == pytest.approx(0.5)


@pytest.mark.parametrize("folder", [{"triplets": 2, "seconds": 1.0, "questions": ("overall", "rhythm")}], indirect=True)
def test_questions_are_separate_passes_with_a_page_between(
    opened: Callable[..., Any], store: AnswerStore, folder: Path, ready: Callable[[], Listener], quick: str
) -> None:
    page = opened(ready())
    begin(page)
    page.evaluate(quick)
    schedule = trials(read_design(folder), 0)
    pages = []
    for number, trial in enumerate(schedule):
        if number and trial.question != schedule[number - 1].question:
            until(page, "document.querySelector('#trial').hidden")
            pages.append(page.text_content("#heading"))
            assert "tempo, groove" in page.text_content("#text")
            page.click("#choice-continue")
        shown(page)
        listen(page)
        answer(page, "6")
    assert pages == ["Which has a rhythm more like X?, The next question"]
    assert [record.question for record in store.records()] == [trial.question for trial in schedule]


@pytest.mark.parametrize("folder", [{"triplets": 26, "seconds": 0.5}], indirect=True)
def test_a_break_is_offered(
    opened: Callable[..., Any], store: AnswerStore, ready: Callable[[], Listener], quick: str
) -> None:
    page = opened(ready())
    begin(page)
    page.evaluate(quick)
    for _ in range(25):
        shown(page)
        listen(page)
        answer(page, "7")
    heading(page, "Take a break")
    assert len(store.records()) == 25
    page.keyboard.press("Enter")
    shown(page)
    assert page.text_content("#count").startswith("26 of")


def test_shortcuts_can_be_switched_off(
    opened: Callable[..., Any], store: AnswerStore, ready: Callable[[], Listener], quick: str
) -> None:
    page = opened(ready())
    begin(page)
    page.evaluate(quick)
    listen(page)
    page.uncheck("#keys")
    page.locator("#heading").focus()
    for key in "16":
        page.keyboard.press(key)
    assert state(page)["side"] == "b"
    assert page.text_content("#count") == "1 of 4"
    page.locator("#grade-b_clearly").focus()
    with page.expect_response("**/answer"):
        page.keyboard.press("Enter")
    shown(page)
    assert page.evaluate("document.activeElement.id") == "heading"
    assert len(store.records()) == 1


def test_without_a_valid_link_the_page_says_so(opened: Callable[..., Any], store: AnswerStore) -> None:
    page = opened(None)
    until(page, "document.querySelector('#text').textContent.includes('needs a personal link')")
    (listener,) = store.invite()
    store.delete_listener(listener.name)
    page = opened(listener)
    until(page, "document.querySelector('#text').textContent.includes('link is not valid')")


def test_a_translated_page(opened: Callable[..., Any], store: AnswerStore, folder: Path) -> None:
    (folder / "instructions.md").write_text(
        "# Was klingt mehr wie X? {lang=de}\n\n## Willkommen {#consent}\n\nBitte <b>lesen</b>.\n\n"
        "## Texte {#labels}\n\n- agree: Einverstanden\n",
        encoding="utf-8",
    )
    page = opened(store.invite()[0])
    heading(page, "Willkommen")
    assert page.get_attribute("html", "lang") == "de"
    assert page.text_content("#choice-agree") == "Einverstanden"
    assert page.text_content("#text") == "Bitte <b>lesen</b>."


@pytest.fixture(scope="module")
def violations() -> Callable[[Any], list[str]]:
    """Runs axe over a page; what is serious."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    return lambda page: [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}"
        for one in axe.run(page).response["violations"]
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_every_page_is_accessible(
    opened: Callable[..., Any],
    store: AnswerStore,
    quick: str,
    violations: Callable[[Any], list[str]],
    scheme: str,
    width: int,
) -> None:
    """axe finds nothing serious, nothing overflows, and targets are at least 44 pixels high and wide."""
    (listener,) = store.invite()
    phone = width < 500
    page = opened(
        listener, viewport={"width": width, "height": 844}, color_scheme=scheme, has_touch=phone, is_mobile=phone
    )

    def check() -> None:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            """[...document.querySelectorAll("button, input:not([type=checkbox]), label:has([type=checkbox])")]
              .filter((one) => one.checkVisibility())
              .map((one) => [one.id, one.getBoundingClientRect()])
              .filter(([, box]) => box.width < 44 || box.height < 44).map(([id]) => id)"""
        )
        assert small == []

    page.wait_for_selector("#choice-agree")
    check()
    page.click("#choice-agree")
    heading(page, "Set the volume")
    check()
    page.click("#choice-continue")
    heading(page, "Are you wearing")
    check()
    for number in range(6):
        until(page, f"document.querySelector('#count').textContent === 'Round {number + 1} of 6'")
        page.click("#tones-play")
        page.wait_for_selector("#tones button:enabled")
        page.click("#tones button >> nth=0")
    page.wait_for_selector("#choice-again")
    check()
    page.click("#choice-continue")
    heading(page, "How it works")
    check()
    page.click("#choice-begin")
    page.evaluate(quick)
    shown(page)
    check()
    listen(page)
    check()
    page.click("#grade-cant_tell")
    page.wait_for_selector("#message[data-kind=wrong]")
    check()


def test_a_trial_fits_on_a_phone(opened: Callable[..., Any], ready: Callable[[], Listener]) -> None:
    page = opened(ready(), viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    begin(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= 700

// The pages before the trials: consent, volume, headphone check.

import { $, buttonById, inputById, make } from "../dom.js";
import { TrialMixer } from "./mixer.js";
import { screen, showPlaying } from "./screen.js";
import { sound } from "./sound_output.js";
import * as api from "./test_api.js";
import { NEEDED, ROUND_SECONDS, ROUNDS, toneRounds, toneSamples, toneStart } from "./tones.js";

export async function consent() {
  screen.show("consent");
  await screen.choose([{ id: "agree", label: screen.label("agree") }]);
  await api.persistently(api.consent, () => screen.message(screen.label("not_saved")));
}

/**
 * The volume is set with music of the test.
 * @param {string} trial whose X is played
 */
export async function level(trial) {
  screen.show("level", { part: "level" });
  const volume = inputById("volume");
  volume.value = String(sound.volume);
  volume.oninput = () => sound.setVolume(Number(volume.value));
  /** @type {TrialMixer[]} */
  const music = [];
  const toggle = () => {
    music[0].toggle();
    showPlaying("level-play", music[0].playing);
  };
  const play = buttonById("level-play");
  showPlaying("level-play", false);
  play.onclick = async () => {
    play.onclick = null;
    try {
      await sound.resume();
      music.push(new TrialMixer(sound.open().context, sound.open().output, await sound.buffers(trial)));
      play.onclick = toggle;
      toggle();
    } catch (error) {
      screen.message(`${screen.label("load_failed")} ${error instanceof Error ? error.message : ""}`, "wrong");
    }
  };
  await screen.choose([{ id: "continue", label: screen.label("continue") }]);
  play.onclick = null;
  sound.setVolume(Number(volume.value));
  music[0]?.close();
}

/** The check, as often as the listener likes; one who uses loudspeakers needs none, and is recorded with no rounds. */
export async function headphones() {
  for (;;) {
    const correct = await headphoneRounds();
    const rounds = correct === null ? 0 : ROUNDS;
    await api.persistently(() => api.headphones(correct ?? 0, rounds), () => screen.message(screen.label("not_saved")));
    if (correct === null) return;
    const passed = correct >= NEEDED;
    const result = screen.label(passed ? "headphones_passed" : "headphones_failed", { correct, total: ROUNDS, needed: NEEDED });
    screen.show("headphones", { text: result });
    const goOn = { id: "continue", label: screen.label(passed ? "continue" : "skip") };
    const again = { id: "again", label: screen.label("again") };
    if ((await screen.choose(passed ? [goOn] : [again, goOn])) === "continue") return;
  }
}

/**
 * The number of correct answers in a headphone check; null for a listener who uses loudspeakers.
 * @returns {Promise<number | null>}
 */
async function headphoneRounds() {
  let correct = 0;
  for (const [index, round] of toneRounds().entries()) {
    const number = screen.label("round", { number: index + 1, total: ROUNDS });
    screen.show("headphones", { part: "headphones", spoken: number, ...(index && { text: screen.label("quietest") }) });
    screen.count(number);
    const asked = askTone(round);
    const loudspeakers = screen.choose([{ id: "loudspeakers", label: screen.label("loudspeakers"), usual: false }]);
    const place = await Promise.race([asked.answer, loudspeakers.then(() => null)]);
    asked.stop();
    if (place === null) {
      screen.count("");
      return null;
    }
    if (place === round.quiet) correct++;
  }
  screen.count("");
  return correct;
}

/**
 * Plays three tones on request. answer: the place of the one that is said to be the quietest; stop(): they end.
 * @param {import("./tones.js").ToneRound} round
 * @returns {{ answer: Promise<number>, stop: () => void }}
 */
function askTone(round) {
  let stop = () => {};
  /** @type {Promise<number>} */
  const answer = new Promise((resolve) => {
    const buttons = [0, 1, 2].map((place) => {
      const button = make("button", { type: "button", disabled: true }, screen.label("tone", { number: place + 1 }));
      button.append(make("span", { class: "note" }, make("kbd", {}, String(place + 1))));
      button.onclick = () => resolve(place);
      return button;
    });
    $("tones").replaceChildren(...buttons);
    const play = buttonById("tones-play");
    play.textContent = `▶ ${screen.label("play_tones")}`;
    let stopped = false;
    stop = () => (stopped = true);
    play.onclick = async () => {
      play.disabled = true;
      await sound.resume();
      if (stopped) return;
      const { context } = sound.open();
      const [left, right] = toneSamples(round, context.sampleRate);
      const buffer = new AudioBuffer({ numberOfChannels: 2, length: left.length, sampleRate: context.sampleRate });
      buffer.getChannelData(0).set(left);
      buffer.getChannelData(1).set(right);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(sound.open().output);
      const start = context.currentTime + 0.05;
      const lights = setInterval(() => {
        const now = context.currentTime - start;
        buttons.forEach((button, place) => button.classList.toggle("sounding", now >= toneStart(place) && now < toneStart(place) + 1));
      }, 50);
      stop = () => {
        clearInterval(lights);
        source.onended = null;
        source.stop();
      };
      source.onended = () => {
        clearInterval(lights);
        play.disabled = false;
        for (const button of buttons) {
          button.classList.remove("sounding");
          button.disabled = false;
        }
        buttons[0].focus();
      };
      source.start(start);
      source.stop(start + ROUND_SECONDS);
    };
    play.disabled = false;
    play.focus();
  });
  return { answer, stop: () => stop() };
}

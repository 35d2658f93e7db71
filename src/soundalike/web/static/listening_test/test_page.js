// A listening test from consent to thanks. Where a listener stands is known by the server, so that a reload, another browser or
// another day goes on with the same trial.

import { screen } from "./screen.js";
import { consent, headphones, level } from "./setup_steps.js";
import { connectKeys } from "./shortcut_keys.js";
import { sound } from "./sound_output.js";
import * as api from "./test_api.js";
import { TrialView } from "./trial_view.js";

export { sound };
export const view = new TrialView();

const TRIALS_BETWEEN_BREAKS = 25;
const SHOW_SAVING_AFTER = 500; // ms

/**
 * Shows a trial and resolves to its answer; its audio is loaded again as often as the listener asks for it.
 * @param {string} trial
 * @returns {Promise<GivenAnswer>}
 */
async function answerTo(trial) {
  for (;;) {
    try {
      return await view.ask(trial);
    } catch (error) {
      screen.message(`${screen.label("load_failed")} ${error instanceof Error ? error.message : ""}`, "wrong");
      await screen.choose([{ id: "again", label: screen.label("again") }]);
      screen.message("");
    }
  }
}

/**
 * Stores an answer and resolves to the listener's progress.
 * @param {string} trial
 * @param {GivenAnswer} given
 * @returns {Promise<TestProgress>}
 */
async function save(trial, given) {
  const timer = setTimeout(() => screen.message(screen.label("saving")), SHOW_SAVING_AFTER);
  const onRetry = () => {
    clearTimeout(timer); // what went wrong stays until it is saved
    screen.message(screen.label("not_saved"), "wrong");
  };
  try {
    return (await api.persistently(() => api.answer(trial, given), onRetry)).progress;
  } catch (error) {
    // Another page of the same listener may have gone on: the server knows where.
    if (error instanceof api.RequestError && error.status === 422) return (await api.persistently(api.session, onRetry)).progress;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {PracticeTrial[]} trials */
async function practice(trials) {
  screen.show("practice");
  await screen.choose([{ id: "begin", label: screen.label("begin") }]);
  await sound.resume();
  for (const [index, { id, same }] of trials.entries()) {
    const count = screen.label("practice_progress", { number: index + 1, total: trials.length });
    screen.count(count);
    screen.show("overall", { part: "trial", spoken: count });
    const { answer } = await answerTo(id);
    const right = answer.toLowerCase().startsWith(same);
    const result = screen.label(right ? "practice_right" : "practice_wrong", { side: same.toUpperCase() });
    screen.show("overall", { heading: count, text: "" });
    screen.message(result, right ? "right" : "wrong");
    const goOn = { id: "continue", label: screen.label("continue") };
    const again = { id: "again", label: screen.label("again") };
    if ((await screen.choose(right ? [goOn] : [goOn, again])) === "again") {
      screen.show("overall", { part: "trial", spoken: count });
      await answerTo(id);
    }
  }
  screen.count("");
  await api.persistently(api.practised, () => screen.message(screen.label("not_saved"), "wrong"));
}

/** @param {TestProgress} start */
async function trials(start) {
  let progress = start;
  let pass = -1;
  let sinceBreak = 0;
  while (progress.trial) {
    const { trial, ahead, answered, total } = progress;
    screen.progress(answered, total);
    const loading = sound.buffers(trial.id);
    loading.catch(() => {}); // shown when the trial is
    if (trial.pass_number !== pass) {
      screen.count("");
      screen.show(trial.question, pass < 0 ? {} : { spoken: screen.label("next_question") });
      await screen.choose([{ id: "continue", label: screen.label(answered ? "continue" : "begin") }]);
      sinceBreak = 0;
    } else if (sinceBreak >= TRIALS_BETWEEN_BREAKS) {
      screen.show("break");
      await screen.choose([{ id: "continue", label: screen.label("continue") }]);
      sinceBreak = 0;
    }
    await sound.resume();
    pass = trial.pass_number;
    const count = screen.label("progress", { number: answered + 1, total });
    screen.count(count);
    screen.show(trial.question, { part: "trial", spoken: count });
    if (ahead) loading.then(() => sound.buffers(ahead.id)).catch(() => {}); // it is loaded again when it is shown
    progress = await save(trial.id, await answerTo(trial.id));
    sinceBreak++;
  }
  screen.progress(progress.answered, progress.total);
}

async function run() {
  if (!api.token()) {
    screen.fail("This page needs a personal link. Ask the person who runs the test for yours.");
    return;
  }
  const session = await api.persistently(api.session, () => screen.message("The server does not answer; trying again …"));
  screen.use(session.texts);
  view.prepare();
  connectKeys(view);
  if (session.progress.trial) {
    if (!session.consented) await consent();
    if (!session.headphones || !sound.volumeWasSet) await level(session.practice[0].id);
    if (!session.headphones) await headphones();
    if (!session.practised) await practice(session.practice);
    await trials(session.progress);
  }
  screen.count("");
  screen.show("thanks");
}

addEventListener("hashchange", () => location.reload()); // another listener's link
run().catch((error) => screen.fail(error instanceof Error ? error.message : String(error)));

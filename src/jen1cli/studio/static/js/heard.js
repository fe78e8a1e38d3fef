/** What was heard in a file of one's own, how sure each part is, and the marks of what is unsure. */

import { $, el } from "./dom.js";
import { edit } from "./sheet.js";
import { on, state } from "./state.js";

const LANES = ["chords", "drums", "melody"];

/**
 * @param {any} score the server's
 * @param {string} name such as "tempo" or "drums"
 * @returns {{percent: string, isSure: boolean} | null} null where nothing is known of it
 */
function certainty(score, name) {
  const value = score?.heard ? score.confidence?.[name] : undefined;
  if (value === undefined) return null;
  return { percent: `${Math.round(100 * value)} %`, isSure: score.sure.includes(name) };
}

/** A part of the sentence: "120 bpm 93 %", or, greyed, "A dorian? unsure, 61 %". */
function said(score, name, text) {
  const found = certainty(score, name);
  if (!found) return el("span", { text });
  return el("span", found.isSure ? { text: `${text} ${found.percent}` }
    : { className: "unsure", text: `${text}? unsure, ${found.percent}` });
}

function showSentence() {
  const { score, sheet } = edit, line = $("heard");
  line.hidden = !score?.heard;
  if (line.hidden) return;
  if (!sheet) {
    line.textContent = "No steady beat was heard in this recording, so no score is shown. Parts of it can be replaced all the same.";
    return;
  }
  const parts = [["tempo", `${Math.round(score.bpm)} bpm`], ["meter", score.metre], ["key", score.key], ...LANES.map((name) => [name, name])]
    .filter(([, text]) => text);
  line.replaceChildren("Heard in this recording: ", ...parts.flatMap(([name, text], i) => [i ? ", " : "", said(score, name, text)]),
    ". You can change the score, and play it again bar by bar.");
}

/** Grey the lanes that are unsure, and say so in them. */
function showLanes() {
  for (const name of LANES) {
    const lane = document.querySelector(`.lane.${name}`), found = certainty(edit.score, name);
    const isUnsure = found !== null && !found.isSure;
    lane.classList.toggle("unsure", isUnsure);
    lane.querySelector(".doubt").replaceChildren(...(isUnsure ? [el("span", { className: "visually-hidden", text: `${name} unsure: ` }), `? ${found.percent}`] : []));
  }
}

function show() {
  showSentence();
  showLanes();
}

export function start() {
  on("current", show);
  on("score-known", show);
  on("listening", (/** @type {{id: string, stop: () => void}} */ { id, stop }) => {
    if (state.current !== id) return;
    $("heard").hidden = false;
    $("heard").replaceChildren("Listening to the recording, to write down its score … ", el("button", { type: "button", className: "small", text: "Stop", on: { click: stop } }));
  });
}

/** A part of the form, drums or melody: written for you, none, or your own bars in a grid. */

import { el } from "./dom.js";
import { drumGrid } from "./drumgrid.js";
import { drumsText, emptyBar, melodyText, resized, stepsOf } from "./music.js";
import { pianoRoll } from "./roll.js";

const MOST_BARS = 4;

/**
 * @param {HTMLElement} field the fieldset
 * @param {"drums" | "melody"} kind
 * @param {() => {key: string, metre: string}} chosenElsewhere in the form
 * @returns {{text: () => string, isOwn: () => boolean, setBars: (bars: import("./music.js").Bar[] | null) => void, redraw: () => void}}
 */
export function part(field, kind, chosenElsewhere) {
  /** @type {import("./music.js").Bar[]} */
  let bars = [emptyBar(stepsOf("").steps)];
  let shown = 0;
  const radios = ["auto", "none", "own"].map((value) => el("input", {
    type: "radio", name: `${kind}-choice`, value, checked: value === "auto", on: { change: redraw },
  }));
  const labels = ["Auto", "None", "My own"];
  const choice = el("div", { className: "choice" },
    ...radios.map((radio, i) => el("label", {}, radio, el("span", { text: labels[i] }))));
  const tabs = el("div", { className: "bars", role: "group", "aria-label": "Bars" });
  const body = el("div", { className: "body" }, tabs);
  field.append(choice, body);
  const grid = kind === "drums"
    ? drumGrid(body, (name, row) => { bars[shown].drums[name] = row; })
    : pianoRoll(body, (cells) => { bars[shown].melody = cells; });

  const chosen = () => radios.find((radio) => radio.checked)?.value;

  function redraw() {
    body.hidden = chosen() !== "own";
    if (body.hidden) return;
    const tab = (label, text, pressed, click) =>
      el("button", { type: "button", text, "aria-label": label, title: label, "aria-pressed": pressed, on: { click } });
    tabs.replaceChildren(el("span", { text: "Bar" }),
      ...bars.map((_, i) => tab(`Bar ${i + 1}`, String(i + 1), i === shown, () => turn(i))));
    if (bars.length < MOST_BARS) tabs.append(tab("Add a bar", "+", false, add));
    if (bars.length > 1) tabs.append(tab("Take the last bar away", "−", false, cut));
    tabs.append(el("button", { type: "button", className: "wipe", text: "Empty", on: { click: wipe } }));
    const { key, metre } = chosenElsewhere(), { steps, beat } = stepsOf(metre);
    if (bars[0].melody.length !== steps) bars = bars.map((bar) => resized(bar, steps));
    if (kind === "drums") grid.show(bars[shown].drums, beat);
    else grid.show(bars[shown].melody, beat, key);
  }

  function turn(to) {
    shown = to;
    redraw();
  }
  /** A new bar begins as a copy of the last: mostly little changes. */
  function add() {
    bars.push(structuredClone(bars[bars.length - 1]));
    turn(bars.length - 1);
  }
  function cut() {
    bars.pop();
    turn(Math.min(shown, bars.length - 1));
  }
  function wipe() {
    bars[shown] = emptyBar(bars[0].melody.length);
    redraw();
  }

  redraw();
  return {
    redraw,
    isOwn: () => chosen() === "own",
    text: () => ({ auto: "", none: "none", own: kind === "drums" ? drumsText(bars) : melodyText(bars) })[chosen()],
    setBars(given) {
      bars = given ? structuredClone(given.slice(0, MOST_BARS)) : [emptyBar(stepsOf("").steps)];
      shown = 0;
      radios[given ? 2 : 0].checked = true;
      redraw();
    },
  };
}

/** The score of the open take, what was changed in it, and playing that again. */

import { call, takePath } from "./api.js";
import { $, announce } from "./dom.js";
import { attempt } from "./connection.js";
import { submit } from "./jobs.js";
import { barAt, chordsText, drumsText, melodyText, sheetOf } from "./music.js";
import { current, emit, on, state, wordsOf } from "./state.js";

const WRITERS = { chords: chordsText, drums: drumsText, melody: melodyText };
const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export const edit = {
  /** @type {any} the server's score */
  score: null,
  /** @type {any} recipe of the take; null for a file of one's own */
  recipe: null,
  /** @type {import("./music.js").Sheet | null} */
  sheet: null,
  /** @type {import("./music.js").Sheet | null} */
  original: null,
  /** @type {number | null} the bar that is open in the editor */
  open: null,

  /** Seconds of a whole bar. */
  get barSeconds() {
    return this.score ? ((60 / this.score.bpm) * this.sheet.steps) / this.sheet.beat : 0;
  },
  /** @param {number} index */
  changed(index) {
    return !equal(this.sheet.bars[index], this.original.bars[index]);
  },
  /** @returns {number[]} */
  changedBars() {
    return this.sheet ? this.sheet.bars.map((_, index) => index).filter((index) => this.changed(index)) : [];
  },
  openBar(index) {
    this.open = index;
    emit("sheet");
    emit("bar-opened");
  },
  setChords(index, text) {
    write(index, { chords: text.trim().replace(/\s+/g, " ") }, index);
  },
  setDrums(index, name, row) {
    write(index, { drums: { ...this.sheet.bars[index].drums, [name]: row } });
  },
  setMelody(index, melody) {
    write(index, { melody });
  },
  /** Take back the last change that was not played yet. @returns {boolean} whether there was one */
  back: () => move(past, future),
  /** Make the change again that was taken back last. @returns {boolean} whether there was one */
  forward: () => move(future, past),
  canGo: () => ({ back: past.length > 0, forward: future.length > 0 }),
};

/** The bars before each change that was not played yet, and those that were taken back. @type {any[][]} */
let past = [], future = [];
/** The bar whose chords are being typed: all their letters are one change. @type {number | null} */
let typing = null;
/** Changed bars that were not played, by their take. @type {Map<string, any[]>} */
const drafts = new Map();
/** Changed bars that were played: the take that came of it has them. */
const played = new WeakSet();

function write(index, part, typed = null) {
  const { bars } = edit.sheet, bar = { ...bars[index], ...part };
  if (equal(bar, bars[index])) return;
  if (typed === null || typed !== typing) past.push(bars);
  typing = typed;
  future = [];
  edit.sheet.bars = bars.map((other, i) => (i === index ? bar : other));
  emit("sheet");
}

function move(from, to) {
  const bars = from.pop();
  if (!bars) return false;
  to.push(edit.sheet.bars);
  edit.sheet.bars = bars;
  typing = null;
  emit("sheet");
  emit("bars-restored");
  return true;
}

/** Keep what was changed in a take until it is opened again. @param {string | null} id */
function keep(id) {
  if (!id || !edit.sheet) return;
  if (edit.changedBars().length && !played.has(edit.sheet.bars)) drafts.set(id, edit.sheet.bars);
  else drafts.delete(id);
}

/** @returns {string[]} which of chords, drums and melody were changed */
const changedParts = () => Object.keys(WRITERS).filter((name) =>
  edit.changedBars().some((index) => !equal(edit.sheet.bars[index][name], edit.original.bars[index][name])));

/** Tempo, key and metre of the score, for a request. */
export function frame() {
  const { bpm, key, metre } = edit.score;
  return Object.fromEntries(Object.entries({ bpm, key, metre }).filter(([, value]) => value));
}

/** The chords from the bar nearest to a time on, where new ones begin. @param {number} seconds */
export function chordsFrom(seconds) {
  if (!edit.original) return {};
  const nearest = Math.min(edit.original.bars.length - 1, Math.max(0, barAt(edit.original, seconds + edit.barSeconds / 2)));
  const chords = chordsText(edit.original.bars.slice(nearest));
  return chords ? { chords } : {};
}

/** The bars from the first to the last changed one, and after it. @returns {[number, number]} */
const span = () => [edit.changedBars()[0], /** @type {number} */ (edit.changedBars().at(-1)) + 1];

/** Replace only the bars that were changed, and those between: all else stays sample for sample. */
async function playBars() {
  const take = current(), [first, last] = span();
  const controls = {};
  for (const [name, text] of Object.entries(WRITERS)) {
    const found = text(edit.sheet.bars.slice(first, last));
    if (found && (found !== "none" || changedParts().includes(name))) controls[name] = found;
  }
  const [from, to] = [Math.max(0, edit.sheet.starts[first]), Math.min(take.seconds, edit.sheet.starts[last])];
  const body = { task: "inpaint", take: take.id, name: take.name, input: wordsOf(take), masks: [`${from.toFixed(3)}-${to.toFixed(3)}s`] };
  await send({ ...body, ...frame(), ...controls }, `${barsNamed(first, last)} again`);
}

/** @param {number} first @param {number} last the one after @returns {string} such as "Bars 3 to 5" */
const barsNamed = (first, last) => (last - first === 1 ? `Bar ${last}` : `Bars ${first + 1} to ${last}`);

/** Play the whole piece again with the changed score and the same noise. */
async function playAll() {
  const take = current(), controls = {};
  for (const name of changedParts()) controls[name] = WRITERS[name](edit.sheet.bars);
  await send({ task: "vary", take: take.id, name: take.name, ...controls }, `All again: ${take.name}`);
}

async function send(body, label) {
  const { bars } = edit.sheet;
  await attempt(async () => {
    await submit(body, label);
    played.add(bars);
  });
}

/** @param {number} count @param {string} word */
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function showChanges() {
  const bars = edit.changedBars(), bar = $("changed");
  bar.hidden = !bars.length;
  if (!bars.length) return;
  const parts = changedParts().join(", ").replace(/, ([^,]*)$/, " and $1");
  const where = bars.length === 1 ? `in bar ${bars[0] + 1}` : `in ${counted(bars.length, "bar")}`;
  const text = `You changed ${parts} ${where}.`;
  const line = bar.querySelector("p");
  if (line.textContent !== text) line.textContent = text;
  $("again-bars").textContent = `Play ${barsNamed(...span()).toLowerCase()} again`;
  // an edited recording has a score of its own only inside the edit
  $("again-all").hidden = !edit.recipe || Boolean(edit.recipe.input);
}

/** Asks for the score; what the server still listens to is of no use when another take is opened. */
let asking = new AbortController();
/** The take that the sheet belongs to. @type {string | null} */
let loaded = null;

async function load() {
  const id = state.current;
  keep(loaded);
  loaded = id;
  [past, future, typing] = [[], [], null];
  asking.abort();
  const own = new AbortController();
  asking = own;
  Object.assign(edit, { score: null, recipe: null, sheet: null, original: null, open: null });
  emit("sheet");
  if (!id) return;
  const slow = setTimeout(() => emit("listening", { id, stop: () => own.abort() }), 400);
  const score = await call(takePath(id, "score"), { signal: own.signal }).catch(() => null);
  clearTimeout(slow);
  if (state.current !== id) return;
  // a recording by others has none to ask for
  const isOthers = current()?.task === "upload" && score?.heard !== false;
  const recipe = isOthers ? null : await call(takePath(id, "recipe")).catch(() => null);
  if (state.current !== id) return;
  Object.assign(edit, { score, recipe });
  edit.sheet = sheetOf(edit.score);
  edit.original = structuredClone(edit.sheet);
  if (edit.sheet && drafts.has(id)) edit.sheet.bars = drafts.get(id);
  emit("sheet");
  emit("score-known");
}

export function start() {
  on("current", load);
  on("sheet", showChanges);
  $("again-bars").addEventListener("click", playBars);
  $("again-all").addEventListener("click", playAll);
  $("again-discard").addEventListener("click", () => {
    past.push(edit.sheet.bars);
    [future, typing] = [[], null];
    edit.sheet.bars = structuredClone(edit.original.bars);
    emit("sheet");
    emit("bar-opened");
    announce("The changes are gone.");
  });
}

/**
 * Scores as bars: how the page edits them, and the text that the server takes.
 *
 * A bar has a text of chords ("Dm7 G7"), a row of steps for each drum ("x...x..."), and a cell for
 * each sixteenth of its melody: a MIDI number, "-" (the note is held) or "." (rest).
 */

export const DRUMS = ["kick", "snare", "hat", "cymbal", "perc"];
export const TONICS = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
export const SHARPS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
export const MODES = {
  minor: [0, 2, 3, 5, 7, 8, 10], major: [0, 2, 4, 5, 7, 9, 11], dorian: [0, 2, 3, 5, 7, 9, 10],
  mixolydian: [0, 2, 4, 5, 7, 9, 10], lydian: [0, 2, 4, 6, 7, 9, 11], phrygian: [0, 1, 3, 5, 7, 8, 10],
  "harmonic minor": [0, 2, 3, 5, 7, 8, 11], "phrygian dominant": [0, 1, 4, 5, 7, 8, 10],
};
/** Sixteenths of a bar in each metre. */
export const SIXTEENTHS = { "4/4": 16, "3/4": 12, "6/8": 12, "12/8": 24, "5/4": 20, "7/8": 14, "2/4": 8 };
const BEATS = { "4/4": 4, "3/4": 3, "6/8": 2, "12/8": 4, "5/4": 5, "7/8": 7, "2/4": 2 };
const PARTS = [1, 2, 3, 4, 6, 8];
export const LOWEST = 36, HIGHEST = 95;

/**
 * @typedef {number | "-" | "."} Cell
 * @typedef {{chords: string, drums: Record<string, string>, melody: Cell[]}} Bar
 * @typedef {object} Sheet
 * @property {number} steps sixteenths of a bar
 * @property {number} beat steps of a beat
 * @property {number[]} starts of the bars in seconds, and the end of the last
 * @property {Bar[]} bars
 */

/** @param {string} metre @returns {{steps: number, beat: number}} sixteenths of a bar and of a beat */
export function stepsOf(metre) {
  const known = metre in SIXTEENTHS ? metre : "4/4";
  return { steps: SIXTEENTHS[known], beat: SIXTEENTHS[known] / BEATS[known] };
}

/** Give a bar another number of steps: cut, or filled with silence. @param {Bar} bar @returns {Bar} */
export const resized = (bar, steps) => ({
  ...bar,
  drums: Object.fromEntries(DRUMS.map((name) => [name, bar.drums[name].padEnd(steps, ".").slice(0, steps)])),
  melody: [...bar.melody, ...Array(steps).fill(".")].slice(0, steps),
});

/** @param {number} steps @returns {Bar} */
export const emptyBar = (steps) => ({
  chords: "", drums: Object.fromEntries(DRUMS.map((name) => [name, ".".repeat(steps)])), melody: Array(steps).fill("."),
});

/**
 * @param {any} score the server's
 * @returns {Sheet | null} null where no bars are known
 */
export function sheetOf(score) {
  if (!score?.bars?.length || !score.bpm) return null;
  const { steps, beat } = stepsOf(score.metre);
  const whole = ((60 / score.bpm) * steps) / beat;
  const starts = [...score.bars, score.bars[score.bars.length - 1] + whole];
  const bars = score.bars.map((start, i) => {
    // where an edit begins a new count of bars, the one before it is cut short
    const end = Math.min(start + whole, starts[i + 1]);
    return {
      chords: chordsWithin(score.chords ?? [], start, end, whole),
      drums: Object.fromEntries(DRUMS.map((name) => [name, ".".repeat(steps)])),
      melody: melodyWithin(score.melody ?? [], start, whole, steps),
    };
  });
  const sheet = { steps, beat, starts, bars };
  for (const [name, row] of Object.entries(score.drums ?? {})) strike(sheet, name, row, whole / steps);
  return sheet;
}

/** @param {Sheet} sheet @param {number} seconds @returns {number} index of the bar there; -1 before the first */
export function barAt({ starts }, seconds) {
  let first = 0, last = starts.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (starts[middle] <= seconds + 1e-3) first = middle + 1;
    else last = middle;
  }
  return first - 1;
}

/** Write a row of strokes, one value for each sixteenth from the first bar line on, into the bars. */
function strike(sheet, name, row, sixteenth) {
  row.forEach((struck, k) => {
    if (!struck) return;
    const at = sheet.starts[0] + k * sixteenth, index = barAt(sheet, at), bar = sheet.bars[index];
    if (!bar) return;
    const marks = [...bar.drums[name]];
    const step = Math.round((at - sheet.starts[index]) / sixteenth);
    if (step < marks.length) marks[step] = "x";
    bar.drums[name] = marks.join("");
  });
}

/** The chords of a bar in as few equal parts as hold them. */
function chordsWithin(chords, start, end, whole) {
  const inside = chords.filter((chord) => chord.end > start + 1e-2 && chord.start < end - 1e-2);
  if (!inside.length) return "";
  const at = (place) => inside.findLast((chord) => chord.start <= start + place * whole) ?? inside[0];
  const fits = (parts) => inside.every((chord) => {
    const place = Math.max(0, (chord.start - start) / whole) * parts;
    return Math.abs(place - Math.round(place)) < 0.02 * parts;
  });
  const parts = PARTS.find(fits) ?? 4;
  return Array.from({ length: parts }, (_, part) => at((part + 0.1) / parts).name).join(" ");
}

function melodyWithin(notes, start, length, steps) {
  /** @type {Cell[]} */
  const cells = Array(steps).fill(".");
  for (const note of notes ?? []) {
    const first = Math.round(((note.start - start) / length) * steps);
    const last = Math.max(first + 1, Math.round(((note.end - start) / length) * steps));
    if (first >= 0 && first < steps) cells[first] = note.pitch;
    for (let step = Math.max(0, first + 1); step < Math.min(last, steps); step += 1) cells[step] = "-";
    if (first < 0 && last > 0) cells[0] = "-";
  }
  return cells;
}

/** @param {Bar[]} bars @returns {string} as `--chords` takes it; "" where no bar has any */
export function chordsText(bars) {
  const cells = bars.map((bar) => bar.chords.trim());
  if (cells.every((cell) => !cell)) return "";
  const full = cells.map((cell, i) => cell || (i ? "%" : "N.C."));
  return full.length === 1 ? `${full[0]} |` : full.join(" | ");
}

/** @param {Bar[]} bars @returns {string} as `--drums` takes it */
export function drumsText(bars) {
  const played = DRUMS.filter((name) => bars.some((bar) => bar.drums[name].includes("x")));
  return played.map((name) => `${name} ${bars.map((bar) => bar.drums[name]).join(" | ")}`).join(" ") || "none";
}

/** @param {Bar[]} bars @returns {string} as `--melody` takes it */
export function melodyText(bars) {
  if (bars.every((bar) => bar.melody.every((cell) => typeof cell !== "number"))) return "none";
  return bars.map((bar) => bar.melody.map((cell) => (typeof cell === "number" ? noteName(cell) : cell)).join(" ")).join(" | ");
}

/** @param {number} pitch MIDI number @returns {string} such as "F#4" */
export const noteName = (pitch) => `${SHARPS[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/**
 * Put a note on a melody; what it covers goes.
 * @param {Cell[]} cells changed in place
 */
export function place(cells, step, pitch, length = 1) {
  erase(cells, step);
  const end = Math.min(cells.length, step + length);
  for (let i = step + 1; i < end; i += 1) erase(cells, i);
  cells[step] = pitch;
  for (let i = step + 1; i < end; i += 1) cells[i] = "-";
}

/** Make a step silent: a note that begins there goes, one held over it ends before it. @param {Cell[]} cells */
export function erase(cells, step) {
  if (cells[step] === ".") return;
  cells[step] = ".";
  for (let i = step + 1; i < cells.length && cells[i] === "-"; i += 1) cells[i] = ".";
}

/** @param {Cell[]} cells @param {number} step @returns {{first: number, pitch: number} | null} the note there */
export function noteAt(cells, step) {
  let first = step;
  while (first > 0 && cells[first] === "-") first -= 1;
  const pitch = cells[first];
  return typeof pitch === "number" ? { first, pitch } : null;
}

/** @param {string} key such as "D minor" @returns {number[]} pitch classes; those of C major without one */
export function scaleOf(key) {
  const [, tonic, mode] = /^([A-G][#b]?) (.+)$/.exec(key || "") ?? [];
  const names = { Db: 1, "D#": 3, Eb: 3, Gb: 6, "G#": 8, Ab: 8, "A#": 10, Bb: 10, Cb: 11, "E#": 5, "B#": 0, Fb: 4 };
  const root = names[tonic] ?? Math.max(0, SHARPS.indexOf(tonic));
  return (MODES[mode] ?? MODES.major).map((step) => (root + step) % 12);
}

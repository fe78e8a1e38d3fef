/** The editor of one bar of the score: its chords, its drum steps and its notes. */

import { drumGrid } from "./drumgrid.js";
import { $ } from "./dom.js";
import * as player from "./player.js";
import { pianoRoll } from "./roll.js";
import { edit } from "./sheet.js";
import { emit, on } from "./state.js";
import { select } from "./stage.js";

let drums, roll;

function show() {
  const { open, sheet } = edit;
  $("bar-editor").hidden = open === null || !sheet;
  if (open === null || !sheet) return;
  const bar = sheet.bars[open];
  $("bar-title").textContent = `Bar ${open + 1} of ${sheet.bars.length}`;
  $("bar-before").disabled = open === 0;
  $("bar-after").disabled = open === sheet.bars.length - 1;
  $("bar-chords").value = bar.chords;
  drums.show(bar.drums, sheet.beat);
  roll.show(bar.melody, sheet.beat, edit.score.key ?? "");
}

/** Open a bar and go to its chords. */
function opened() {
  show();
  if (edit.open === null) return;
  $("bar-editor").scrollIntoView({ block: "nearest" });
  $("bar-chords").focus({ preventScroll: true });
  $("bar-chords").select();
}

function close() {
  const { open } = edit;
  edit.open = null;
  emit("sheet");
  show();
  requestAnimationFrame(() => document.querySelector(`#chord-track [data-bar="${open}"]`)?.focus());
}

export function start() {
  drums = drumGrid($("bar-drums"), (name, row) => edit.setDrums(edit.open, name, row));
  roll = pianoRoll($("bar-melody"), (cells) => edit.setMelody(edit.open, cells));
  on("bar-opened", opened);
  for (const name of ["score-known", "bars-restored"]) on(name, show);
  on("current", show);
  $("bar-before").addEventListener("click", () => edit.openBar(edit.open - 1));
  $("bar-after").addEventListener("click", () => edit.openBar(edit.open + 1));
  $("bar-close").addEventListener("click", close);
  $("bar-play").addEventListener("click", () => {
    select({ start: edit.sheet.starts[edit.open], end: edit.sheet.starts[edit.open + 1] });
    player.loopSelection();
  });
  $("bar-chords").addEventListener("input", () => edit.setChords(edit.open, $("bar-chords").value));
  $("bar-chords").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && edit.changedBars().length) $("again-bars").click();
  });
  $("bar-editor").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
}

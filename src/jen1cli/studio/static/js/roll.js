/** A small piano roll for one bar of a melody: single notes, drawn by dragging or with the keys. */

import { announce, el } from "./dom.js";
import { erase, noteAt, noteName, place, scaleOf } from "./music.js";
import { roving } from "./roving.js";

const USUAL = [60, 77];  // the rows that are always there: C4 to F5

/**
 * @param {HTMLElement} container
 * @param {(cells: import("./music.js").Cell[]) => void} change
 * @returns {{show: (cells: import("./music.js").Cell[], beat: number, key: string) => void}}
 */
export function pianoRoll(container, change) {
  /** @type {import("./music.js").Cell[]} */
  let cells = [];
  /** @type {{first: number, pitch: number} | null} the note that a drag draws */
  let drawing = null;
  const grid = el("div", { className: "grid roll", role: "group", "aria-label": "Notes of the melody" });
  container.append(grid);
  roving(grid);

  const write = (edit) => {
    cells = [...cells];
    edit();
    paint();
    change(cells);
  };
  const facts = (cell) => ({ pitch: Number(cell.dataset.pitch), step: Number(cell.dataset.step) });

  function toggle(cell) {
    const { pitch, step } = facts(cell);
    const note = noteAt(cells, step);
    if (note?.pitch === pitch) {
      write(() => erase(cells, note.first));
      return null;
    }
    write(() => place(cells, step, pitch));
    return { first: step, pitch };
  }

  /** Make the note under a cell longer or shorter by a step. */
  function stretch(cell, by) {
    const { pitch, step } = facts(cell);
    const note = noteAt(cells, step);
    if (note?.pitch !== pitch) return;
    let length = 1;
    while (cells[note.first + length] === "-") length += 1;
    if (length + by < 1 || note.first + length + by > cells.length) return;
    write(() => place(cells, note.first, pitch, length + by));
    announce(`${noteName(pitch)}, ${length + by} steps long`);
  }

  grid.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest?.(".cell");
    if (cell && !event.button) drawing = toggle(cell);
  });
  grid.addEventListener("pointermove", (event) => {
    const cell = drawing && document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell");
    if (!cell || !grid.contains(cell)) return;
    const { first, pitch } = drawing, length = Math.max(1, facts(cell).step - first + 1);
    write(() => place(cells, first, pitch, length));
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { drawing = null; });
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest?.(".cell");
    if (cell && event.detail === 0) toggle(cell);
  });
  grid.addEventListener("keydown", (event) => {
    if (!event.shiftKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    stretch(event.target, event.key === "ArrowRight" ? 1 : -1);
  });

  /** Mark the cells that a note covers. */
  function paint() {
    for (const cell of grid.querySelectorAll(".cell")) {
      const { pitch, step } = facts(cell);
      const on = cells[step] !== "." && noteAt(cells, step)?.pitch === pitch;
      if (cell.getAttribute("aria-pressed") !== String(on)) cell.setAttribute("aria-pressed", String(on));
      cell.classList.toggle("held", on && cells[step] === "-");
    }
  }

  function show(shown, beat, key) {
    cells = shown;
    const scale = scaleOf(key);
    const used = shown.filter((cell) => typeof cell === "number");
    const low = Math.min(USUAL[0], ...used), high = Math.max(USUAL[1], ...used);
    const pitches = [];
    for (let pitch = high; pitch >= low; pitch -= 1) {
      if (scale.includes(pitch % 12) || used.includes(pitch)) pitches.push(pitch);
    }
    grid.style.setProperty("--cells", String(shown.length));
    grid.replaceChildren(...pitches.map((pitch) => el("div", { className: pitch % 12 === scale[0] ? "rowline tonic" : "rowline" },
      el("span", { text: noteName(pitch), "aria-hidden": "true" }),
      ...shown.map((_, step) => el("button", {
        type: "button", className: Math.floor(step / beat) % 2 ? "cell off" : "cell", tabIndex: -1, "aria-pressed": false,
        "aria-label": `${noteName(pitch)}, step ${step + 1} of ${shown.length}`, "data-pitch": pitch, "data-step": step,
      })))));
    grid.querySelector(".cell").tabIndex = 0;
    paint();
  }
  return { show };
}

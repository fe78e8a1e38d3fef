/** A grid of drum steps: one row for each drum, a button for each step. */

import { el } from "./dom.js";
import { DRUMS } from "./music.js";
import { roving } from "./roving.js";

/**
 * @param {HTMLElement} container
 * @param {(name: string, row: string) => void} change called with the new row of a drum
 * @returns {{show: (rows: Record<string, string>, beat: number) => void}}
 */
export function drumGrid(container, change) {
  /** @type {Record<string, string>} */
  let rows = {};
  /** @type {boolean | null} what a drag over the grid writes */
  let painting = null;
  const grid = el("div", { className: "grid", role: "group", "aria-label": "Drum steps" });
  container.append(grid);
  roving(grid);

  const put = (cell, struck) => {
    const { name, step } = cell.dataset;
    const row = [...rows[name]];
    row[step] = struck ? "x" : ".";
    rows = { ...rows, [name]: row.join("") };
    cell.setAttribute("aria-pressed", String(struck));
    change(name, rows[name]);
  };
  const struckAt = (cell) => cell.getAttribute("aria-pressed") === "true";

  grid.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest?.(".cell");
    if (!cell || event.button) return;
    painting = !struckAt(cell);
    put(cell, painting);
  });
  grid.addEventListener("pointermove", (event) => {
    const cell = painting !== null && document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell");
    if (cell && grid.contains(cell) && struckAt(cell) !== painting) put(cell, painting);
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { painting = null; });
  grid.addEventListener("click", (event) => {
    // the pointer has written already; this is the keyboard or a screen reader
    const cell = event.target.closest?.(".cell");
    if (cell && event.detail === 0) put(cell, !struckAt(cell));
  });

  /** @param {Record<string, string>} shown @param {number} beat steps of a beat */
  function show(shown, beat) {
    rows = shown;
    const steps = shown[DRUMS[0]].length;
    grid.style.setProperty("--cells", String(steps));
    grid.replaceChildren(...DRUMS.map((name) => el("div", { className: "rowline" },
      el("span", { text: name, "aria-hidden": "true" }),
      ...[...shown[name]].map((mark, step) => el("button", {
        type: "button", className: Math.floor(step / beat) % 2 ? "cell off" : "cell", tabIndex: -1,
        "aria-pressed": mark === "x", "aria-label": `${name}, step ${step + 1} of ${steps}`,
        "data-name": name, "data-step": step,
      })))));
    grid.querySelector(".cell").tabIndex = 0;
  }
  return { show };
}

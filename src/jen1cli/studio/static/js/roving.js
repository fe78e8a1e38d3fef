/** One stop of the Tab key for a whole grid of buttons; the arrow keys move inside it. */

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -999], End: [0, 999] };

/** @param {HTMLElement} grid whose `.rowline` children hold `.cell` buttons */
export function roving(grid) {
  grid.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    const cell = /** @type {HTMLElement} */ (event.target);
    if (!move || event.shiftKey || !cell.classList.contains("cell")) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = [...grid.querySelectorAll(".rowline")].map((row) => [...row.querySelectorAll(".cell")]);
    const at = rows.findIndex((row) => row.includes(cell));
    const row = rows[Math.min(rows.length - 1, Math.max(0, at + move[0]))];
    const step = rows[at].indexOf(cell) + move[1];
    focusCell(grid, row[Math.min(row.length - 1, Math.max(0, step))]);
  });
  grid.addEventListener("focusin", (event) => only(grid, event.target));
}

const only = (grid, cell) => {
  for (const other of grid.querySelectorAll('.cell[tabindex="0"]')) other.tabIndex = -1;
  if (cell.classList.contains("cell")) cell.tabIndex = 0;
};

/** @param {HTMLElement} grid @param {any} cell */
export function focusCell(grid, cell) {
  only(grid, cell);
  cell.focus();
}

/** Dark or light: as the system says, or as was chosen. */

import { $, announce } from "./dom.js";
import { emit } from "./state.js";

const KEPT = "jen1-theme", ORDER = ["system", "dark", "light"];
const NAMES = { system: "as the system", dark: "dark", light: "light" };
const light = matchMedia("(prefers-color-scheme: light)");
let choice = localStorage.getItem(KEPT) ?? "system";

function apply() {
  const shown = choice === "system" ? (light.matches ? "light" : "dark") : choice;
  document.documentElement.dataset.theme = shown;
  $("theme").title = $("theme").ariaLabel = `Theme: ${NAMES[choice]}`;
  emit("theme");
}

export function start() {
  if (!ORDER.includes(choice)) choice = "system";
  apply();
  light.addEventListener("change", apply);
  $("theme").addEventListener("click", () => {
    choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length];
    localStorage.setItem(KEPT, choice);
    apply();
    announce(`Theme: ${NAMES[choice]}`);
  });
}

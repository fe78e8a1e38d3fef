/** The open take: its name and facts, downloads, and the menu for it. */

import { downloadsOf } from "./api.js";
import { fill } from "./compose.js";
import { $, ask, el, short } from "./dom.js";
import { rename, remove } from "./takes.js";
import { current, on } from "./state.js";
import { edit } from "./sheet.js";

const VIEW = "jen1-view";

function show() {
  const take = current();
  $("empty").hidden = Boolean(take);
  $("open-take").hidden = !take;
  document.title = take ? `${take.name} · jen1 studio` : "jen1 studio";
  if (!take) return;
  $("take-name").textContent = take.name;
  const words = take.prompt && take.prompt !== take.name ? `“${take.prompt}”` : "";
  const facts = [`${short(take.seconds)} s`, take.bpm && `${short(take.bpm)} bpm`, take.key, take.seed !== null && `seed ${take.seed}`, words];
  $("take-facts").textContent = facts.filter(Boolean).join(" · ");
}

function offer() {
  const take = current();
  if (!take) return;
  const made = edit.recipe !== null;
  $("take-settings").disabled = $("take-recipe").disabled = !made;
  const key = JSON.stringify([take.id, take.name, made]);
  if ($("downloads").dataset.shown === key) return;  // else an open menu would lose the focus
  $("downloads").dataset.shown = key;
  $("downloads").querySelector("ul").replaceChildren(...downloadsOf(take.id)
    .filter(({ extension }) => made || !["mid", "json"].includes(extension))
    .map(({ label, extension, path }) => el("li", {}, el("a", { href: path, download: `${take.name}.${extension}`, text: label }))));
}

/** Menus close with Escape, with a click elsewhere, and after a choice. */
function menus() {
  addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest("ul")) menu.open = false;
    }
  });
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
}

/** The parts of the page on a phone. */
function views() {
  const show = (name) => {
    document.body.dataset.view = name;
    sessionStorage.setItem(VIEW, name);
    for (const button of document.querySelectorAll(".views button")) {
      if (button.dataset.view === name) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
  };
  for (const button of document.querySelectorAll(".views button")) button.addEventListener("click", () => show(button.dataset.view));
  on("view", show);
  show(sessionStorage.getItem(VIEW) ?? "make");
}

export function start() {
  on("current", show);
  on("takes", show);
  for (const name of ["current", "takes", "score-known"]) on(name, offer);
  $("take-rename").addEventListener("click", () => rename(current().id));
  $("take-delete").addEventListener("click", () => remove(current().id));
  $("take-settings").addEventListener("click", () => fill(edit.recipe, edit.sheet));
  $("take-recipe").addEventListener("click", () => ask({ title: "Recipe", text: "With it, the same version of jen1 makes the same take again.", pre: JSON.stringify(edit.recipe, null, 2), yes: "Close" }));
  menus();
  views();
}

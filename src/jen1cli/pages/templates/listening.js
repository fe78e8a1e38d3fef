"use strict";
// Order and answers live in localStorage, so that a closed tab loses nothing.
const get = (id) => document.getElementById(id);
const storeName = "jen1-listening-" + STUDY.study;
let state = load();

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(storeName));
    if (kept && kept.order.length === STUDY.items.length) return kept;
  } catch (error) { /* begin anew */ }
  const numbers = crypto.getRandomValues(new Uint32Array(STUDY.items.length + 2));
  const order = STUDY.items.map((_, i) => i).sort((a, b) => numbers[a] - numbers[b]);
  const listener = numbers[STUDY.items.length].toString(16) + numbers[STUDY.items.length + 1].toString(16);
  return { listener, order, at: 0, answers: {}, started: new Date().toISOString() };
}
function keep() {
  try { localStorage.setItem(storeName, JSON.stringify(state)); } catch (error) { /* private window */ }
}
function current() { return STUDY.items[state.order[state.at]]; }
function show() {
  const done = state.at >= STUDY.items.length;
  get("intro").hidden = true;
  get("trial").hidden = done;
  get("end").hidden = !done;
  get("progress").textContent = done ? "" : `${state.at + 1} of ${STUDY.items.length}`;
  get("hint").textContent = "";
  if (done) {
    get("save").focus();
    return;
  }
  const item = current();
  get("prompt").textContent = item.prompt;
  get("sound").src = item.sound;
  const answer = state.answers[item.code] || {};
  for (const name of ["quality", "alignment"]) {
    const slider = get(name);
    slider.value = answer[name] || 50;
    mark(slider, name in answer);
  }
  get("quality").focus();
}
function mark(slider, touched) {
  slider.classList.toggle("untouched", !touched);
  document.querySelector(`output[for=${slider.id}]`).textContent = touched ? slider.value : "-";
}
function answer(slider) {
  const item = current();
  state.answers[item.code] = { ...state.answers[item.code], [slider.id]: Number(slider.value) };
  mark(slider, true);
  get("hint").textContent = "";
  keep();
}
function next() {
  const given = state.answers[current().code] || {};
  if (!("quality" in given && "alignment" in given)) {
    get("hint").textContent = "Please move both sliders.";
    return;
  }
  get("sound").pause();
  state.at += 1;
  keep();
  show();
}
function back() {
  if (state.at === 0) return;
  get("sound").pause();
  state.at -= 1;
  keep();
  show();
}
function save() {
  const result = {
    format: STUDY.format, study: STUDY.study, listener: state.listener,
    started: state.started, finished: new Date().toISOString(), ratings: state.answers,
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(result, null, 1)], { type: "application/json" }));
  link.download = `listening-${state.listener}.json`;
  link.click();
  get("saved").textContent = `Saved as ${link.download}, in your downloads.`;
}
for (const name of ["quality", "alignment"]) get(name).addEventListener("input", (e) => answer(e.target));
get("start").addEventListener("click", show);
get("next").addEventListener("click", next);
get("back").addEventListener("click", back);
get("review").addEventListener("click", back);
get("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!get("intro").hidden) { if (event.key === "Enter") { event.preventDefault(); show(); } return; }
  if (!get("end").hidden) {
    if (event.key === "Backspace") { event.preventDefault(); back(); }
    return;
  }
  const slider = document.activeElement.type === "range" ? document.activeElement : get("quality");
  const step = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step };
  if (event.key === " ") {
    const sound = get("sound");
    if (sound.paused) sound.play(); else sound.pause();
  } else if (event.key.toLowerCase() === "q") get("quality").focus();
  else if (event.key.toLowerCase() === "f") get("alignment").focus();
  else if (event.key === "Enter") next();
  else if (event.key === "Backspace") back();
  else if (event.key in moves) {
    slider.value = Number(slider.value) + moves[event.key];
    answer(slider);
  } else return;
  event.preventDefault();
});
get("start").focus();
if (state.at > 0 || Object.keys(state.answers).length) show();

"use strict";
// Order and answers live in localStorage, so that a closed tab loses nothing.
const get = (id) => document.getElementById(id);
const LETTERS = "ABXYZ";
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
// Sounds of one group are rated together, in the listener's own order.
function trials() {
  const groups = new Map();
  for (const item of state.order.map((place) => STUDY.items[place])) {
    const name = item.group || item.code;
    groups.set(name, [...(groups.get(name) || []), item]);
  }
  return [...groups.values()];
}
function current() { return trials()[state.at]; }
function show() {
  const count = trials().length;
  const done = state.at >= count;
  get("intro").hidden = true;
  get("trial").hidden = done;
  get("end").hidden = !done;
  get("progress").textContent = done ? "" : `${state.at + 1} of ${count}`;
  get("hint").textContent = "";
  get("sounds").replaceChildren();
  if (done) {
    get("save").focus();
    return;
  }
  const items = current();
  get("prompt").textContent = items[0].prompt;
  items.forEach((item, place) => {
    const letter = items.length > 1 ? LETTERS[place] : "";
    get("sounds").append(block(item, letter));
  });
  sliders()[0].focus();
}
// One player, and below it a slider for each question.
function block(item, letter) {
  const part = document.createElement("div");
  const player = document.createElement("audio");
  Object.assign(player, { controls: true, preload: "auto", src: item.sound });
  player.addEventListener("play", () => players().forEach((other) => other === player || other.pause()));
  if (letter) part.append(Object.assign(document.createElement("h2"), { textContent: letter }));
  part.append(player);
  for (const question of STUDY.questions) {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 1, max: 100, id: `${question.name}-${item.code}` });
    Object.assign(slider.dataset, {
      code: item.code, question: question.name, key: letter || question.key,
    });
    const given = (state.answers[item.code] || {})[question.name];
    slider.value = given || 50;
    slider.addEventListener("input", () => answer(slider));
    slider.addEventListener("focus", () => part.classList.add("chosen"));
    slider.addEventListener("blur", () => part.classList.remove("chosen"));
    const label = document.createElement("label");
    const key = document.createElement("kbd");
    key.textContent = slider.dataset.key;
    label.htmlFor = slider.id;
    label.append(question.label + " ", key);
    const value = document.createElement("output");
    value.htmlFor.add(slider.id);
    const line = document.createElement("p");
    line.append(label, slider, value);
    part.append(line);
    mark(slider, value, given !== undefined);
  }
  return part;
}
function sliders() { return [...get("sounds").querySelectorAll("input")]; }
function players() { return [...get("sounds").querySelectorAll("audio")]; }
function chosen() {
  const active = document.activeElement;
  return active.type === "range" ? active : sliders()[0];
}
function playerOf(slider) { return slider.closest("div").querySelector("audio"); }
// The next sound goes on where the last one was, so that one place can be compared.
function choose(slider) {
  const before = players().find((player) => !player.paused);
  const after = playerOf(slider);
  slider.focus();
  if (!before || before === after) return;
  after.currentTime = before.currentTime;
  after.play();
}
function mark(slider, value, touched) {
  slider.classList.toggle("untouched", !touched);
  value.textContent = touched ? slider.value : "-";
}
function answer(slider) {
  const { code, question } = slider.dataset;
  state.answers[code] = { ...state.answers[code], [question]: Number(slider.value) };
  mark(slider, slider.nextElementSibling, true);
  get("hint").textContent = "";
  keep();
}
function next() {
  if (sliders().some((slider) => slider.classList.contains("untouched"))) {
    get("hint").textContent = "Please move every slider.";
    return;
  }
  players().forEach((player) => player.pause());
  state.at += 1;
  keep();
  show();
}
function back() {
  if (state.at === 0) return;
  players().forEach((player) => player.pause());
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
  const slider = chosen();
  const step = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step };
  const named = sliders().find((one) => one.dataset.key.toLowerCase() === event.key.toLowerCase());
  if (event.key === " ") {
    const player = playerOf(slider);
    if (player.paused) player.play(); else player.pause();
  } else if (named) choose(named);
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

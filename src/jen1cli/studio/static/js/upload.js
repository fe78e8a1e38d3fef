/** A file of one's own becomes a take: dropped anywhere, or chosen. */

import { call } from "./api.js";
import { attempt } from "./connection.js";
import { $, announce } from "./dom.js";
import { open, refresh } from "./open.js";
import { emit } from "./state.js";

/** @param {File} file */
async function upload(file) {
  const body = new FormData();
  body.append("file", file, file.name);
  announce(`Reading ${file.name}`);
  $("add-file").disabled = true;
  emit("working");
  await attempt(async () => {
    const take = await call("/v1/takes", { method: "POST", body });
    await refresh();
    open(take.id);
    emit("view", "edit");
    announce(`${file.name} is open`);
  });
  $("add-file").disabled = false;
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

export function start() {
  const input = $("file");
  $("add-file").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    for (const file of input.files) void upload(file);
    input.value = "";
  });
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  addEventListener("drop", (event) => {
    $("drop").hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) void upload(file);
  });
}

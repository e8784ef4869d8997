// An uploaded file in a message: pictures are shown, others stand as a card to download.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { foldable } from "./image.js";

const UNITS = ["B", "KB", "MB", "GB"];

export function sizeOf(bytes) {
  let amount = bytes || 0;
  let unit = 0;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}

const kindOf = (file) => (file.name?.includes(".") ? file.name.split(".").at(-1).toUpperCase() : "FILE");
const urlOf = (file) => `/_/file/${encodeURIComponent(file.id)}`;

export function fileCard(file) {
  const name = file.title || file.name || "File";
  return h(
    "a",
    {
      class: "file-card",
      href: file.id ? urlOf(file) : null,
      download: file.name || name,
      data: { file: file.id },
    },
    h("span", { class: `file-icon file-${kindOf(file).toLowerCase()}` }, icon("file", { size: 22 })),
    h(
      "span",
      { class: "file-text" },
      h("span", { class: "file-name" }, name),
      h("span", { class: "file-kind" }, kindOf(file), file.size ? ` · ${sizeOf(file.size)}` : ""),
    ),
    h("span", { class: "file-get" }, icon("download", { size: 18 })),
  );
}

export function files(list) {
  return h(
    "div",
    { class: "files" },
    list.map((file) =>
      file.mimetype?.startsWith("image/")
        ? foldable(file.title || file.name, urlOf(file), file.alt_txt || file.title || file.name, 420)
        : fileCard(file),
    ),
  );
}

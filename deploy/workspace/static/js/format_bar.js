// Buttons that put Slack's marks around what is selected.
import { h } from "./dom.js";
import { icon } from "./icons.js";

function surround(area, before, after = before) {
  const { selectionStart: from, selectionEnd: to, value } = area;
  const chosen = value.slice(from, to);
  area.setRangeText(before + chosen + after, from, to, "end");
  const caret = from + before.length;
  area.setSelectionRange(caret, caret + chosen.length);
}

function eachLine(area, mark) {
  const { selectionStart, selectionEnd, value } = area;
  const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const lines = value
    .slice(from, selectionEnd)
    .split("\n")
    .map((line, at) => (typeof mark === "function" ? mark(at) : mark) + line);
  area.setRangeText(lines.join("\n"), from, selectionEnd, "end");
}

const TOOLS = [
  ["Bold", "bold", (area) => surround(area, "*"), "b"],
  ["Italic", "italic", (area) => surround(area, "_"), "i"],
  ["Strikethrough", "strike", (area) => surround(area, "~")],
  null,
  ["Numbered list", "numbers", (area) => eachLine(area, (at) => `${at + 1}. `)],
  ["Bulleted list", "bullets", (area) => eachLine(area, "• ")],
  ["Quote", "quote", (area) => eachLine(area, "> ")],
  null,
  ["Code", "code", (area) => surround(area, "`")],
  ["Code block", "codeblock", (area) => surround(area, "```\n", "\n```")],
];

export function formatBar(area) {
  const run = (change) => () => {
    change(area);
    area.focus();
    area.dispatchEvent(new Event("input"));
  };
  area.addEventListener("keydown", (press) => {
    const tool =
      (press.ctrlKey || press.metaKey) &&
      !press.shiftKey &&
      TOOLS.find((one) => one?.[3] === press.key.toLowerCase());
    if (!tool) return;
    press.preventDefault();
    run(tool[2])();
  });
  return h(
    "div",
    { class: "format-bar", role: "toolbar", "aria-label": "Formatting" },
    TOOLS.map((tool) =>
      tool
        ? h(
            "button",
            {
              class: "icon-button",
              type: "button",
              tabindex: "-1",
              title: tool[0],
              "aria-label": tool[0],
              onpointerdown: (press) => press.preventDefault(),
              onclick: run(tool[2]),
            },
            icon(tool[1], { size: 18 }),
          )
        : h("span", { class: "format-line" }),
    ),
  );
}

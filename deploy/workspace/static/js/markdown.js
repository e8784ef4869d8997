// GitHub-like Markdown to nodes, block by block; a growing text only redraws the blocks that changed.
import { h } from "./dom.js";
import { inlineMarkdown } from "./markdown_inline.js";
import { copyable } from "./code_block.js";

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const DEEPEST = 12; // levels of quotes and lists; what lies deeper is shown as plain lines
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+|$)(.*)$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

const isTable = (lines, at) =>
  lines[at].includes("|") &&
  at + 1 < lines.length &&
  lines[at + 1].includes("-") &&
  DELIMITER.test(lines[at + 1]) &&
  cells(lines[at]).length === cells(lines[at + 1]).length;
const starts = (lines, at) =>
  FENCE.test(lines[at]) ||
  HEADING.test(lines[at]) ||
  RULE.test(lines[at]) ||
  QUOTE.test(lines[at]) ||
  ITEM.test(lines[at]) ||
  isTable(lines, at);

function fenceEnd(lines, at) {
  const mark = FENCE.exec(lines[at])[2];
  let end = at + 1;
  while (
    end < lines.length &&
    !(lines[end].trim().startsWith(mark) && !lines[end].trim().replaceAll(mark[0], ""))
  )
    end += 1;
  return Math.min(end + 1, lines.length);
}

function listEnd(lines, at) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  let end = at + 1;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    const indent = /^\s*/.exec(lines[end])[0].length;
    if (!lines[end].trim()) {
      const next = lines.slice(end).findIndex((line) => line.trim());
      if (next < 0) break;
      const after = lines[end + next];
      const nested = /^\s*/.exec(after)[0].length > first[1].length + 1;
      const sibling = ITEM.exec(after);
      if (!nested && !(sibling && /\d/.test(sibling[2]) === ordered)) break;
    } else if (item && item[1].length <= first[1].length && /\d/.test(item[2]) !== ordered) break;
    else if (!item && indent <= first[1].length && starts(lines, end)) break;
    end += 1;
  }
  return end;
}

function blockEnd(lines, at) {
  if (FENCE.test(lines[at])) return fenceEnd(lines, at);
  if (HEADING.test(lines[at]) || RULE.test(lines[at])) return at + 1;
  let end = at + 1;
  if (isTable(lines, at)) {
    while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
    return end;
  }
  if (QUOTE.test(lines[at])) {
    while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || !starts(lines, end)))
      end += 1;
    return end;
  }
  if (ITEM.test(lines[at])) return listEnd(lines, at);
  while (end < lines.length && lines[end].trim() && !starts(lines, end)) end += 1;
  return end;
}

/** The text cut into the sources of its top-level blocks. */
function blocksOf(text) {
  const lines = String(text ?? "")
    .replace(/\r\n?/g, "\n")
    .split("\n");
  const out = [];
  for (let at = 0; at < lines.length;) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const end = blockEnd(lines, at);
    out.push(lines.slice(at, end).join("\n").trimEnd());
    at = end;
  }
  return out;
}

function cells(line) {
  const trimmed = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return trimmed.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function table(lines) {
  const align = cells(lines[1]).map((cell) =>
    /^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : "left",
  );
  const row = (line, tag) =>
    h(
      "tr",
      {},
      align.map((side, at) => h(tag, { class: `align-${side}` }, inlineMarkdown(cells(line)[at] ?? ""))),
    );
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      { class: "table" },
      h("thead", {}, row(lines[0], "th")),
      h(
        "tbody",
        {},
        lines.slice(2).map((line) => row(line, "td")),
      ),
    ),
  );
}

function splitItems(lines, indent) {
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent + 1)
      items.push({ body: [item[4]], inset: item[1].length + item[2].length + Math.max(item[3].length, 1) });
    else if (items.length) {
      const { inset } = items.at(-1);
      const lead = /^\s*/.exec(line)[0].length;
      items.at(-1).body.push(line.slice(Math.min(lead, inset)));
    }
  }
  return items.map((item) => item.body.join("\n"));
}

function list(lines, depth) {
  const first = ITEM.exec(lines[0]);
  const ordered = /\d/.test(first[2]);
  const items = splitItems(lines, first[1].length).map((body) => {
    const task = /^\[([ xX])\]\s+/.exec(body);
    const text = task ? body.slice(task[0].length) : body;
    const tick = task
      ? h("span", {
          class: `tick${task[1] === " " ? "" : " tick-on"}`,
          role: "img",
          "aria-label": task[1] === " " ? "to do" : "done",
        })
      : null;
    return h("li", { class: task ? "task-item" : null }, tick, itemBody(text, depth));
  });
  const start = ordered ? Number.parseInt(first[2], 10) : null;
  return h(ordered ? "ol" : "ul", { class: "list", start: ordered && start !== 1 ? start : null }, items);
}

function itemBody(text, depth) {
  const [head, ...rest] = blocksOf(text);
  if (head === undefined) return [];
  const lead = starts(head.split("\n"), 0) ? block(head, depth + 1) : h("span", {}, inlineMarkdown(head));
  return [lead, ...rest.map((source) => block(source, depth + 1))];
}

/** A heading without the #s that may close it. */
function withoutClosing(text) {
  let end = text.trimEnd().length;
  const whole = end;
  while (text[end - 1] === "#") end -= 1;
  return end === 0 || text[end - 1] === " " ? text.slice(0, end).trimEnd() : text.slice(0, whole);
}

/** One top-level block's source to its node. */
function block(source, depth = 0) {
  const lines = source.split("\n");
  const heading = HEADING.exec(lines[0]);
  if (heading)
    return h(
      `h${Math.min(heading[1].length + 2, 6)}`,
      { class: `heading heading-${heading[1].length}` },
      inlineMarkdown(withoutClosing(heading[2])),
    );
  const fence = FENCE.exec(lines[0]);
  if (fence) {
    const closed = lines.length > 1 && lines.at(-1).trim().startsWith(fence[2]);
    return copyable(lines.slice(1, closed ? -1 : undefined).join("\n"), fence[3]);
  }
  if (RULE.test(lines[0])) return h("hr", { class: "rule" });
  if (isTable(lines, 0)) return table(lines);
  if (QUOTE.test(lines[0]) && depth < DEEPEST)
    return h(
      "blockquote",
      { class: "quote" },
      blocksOf(lines.map((line) => line.replace(QUOTE, "")).join("\n")).map((inner) =>
        block(inner, depth + 1),
      ),
    );
  if (ITEM.test(lines[0]) && depth < DEEPEST) return list(lines, depth);
  return h("p", { class: "para" }, inlineMarkdown(lines.map((line) => line.trimStart()).join("\n")));
}

/** Draws Markdown into `host`, keeping the nodes of blocks that did not change. */
export function drawMarkdown(host, text) {
  const sources = blocksOf(text);
  const old = host.markdownSources || [];
  let same = 0;
  while (same < sources.length && same < old.length && sources[same] === old[same] && host.childNodes[same])
    same += 1;
  while (host.childNodes.length > same) host.lastChild.remove();
  for (const source of sources.slice(same)) host.append(block(source));
  host.markdownSources = sources;
}

export function markdown(text) {
  const host = h("div", { class: "markdown" });
  drawMarkdown(host, text);
  return host;
}

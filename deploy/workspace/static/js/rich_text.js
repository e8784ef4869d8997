// rich_text blocks: sections, lists, quotes and preformatted text, element by element.
import { h, link } from "./dom.js";
import { emoji, knows, withEmoji } from "./emoji.js";
import { channelMention, groupMention, personMention } from "./mention.js";
import { copyable } from "./code_block.js";
import { dayAndTime } from "./time.js";

function styled(node, style = {}) {
  let out = node;
  if (style.code) out = h("code", { class: "code" }, out);
  if (style.strike) out = h("s", {}, out);
  if (style.italic) out = h("em", {}, out);
  if (style.bold) out = h("strong", {}, out);
  if (style.underline) out = h("u", {}, out);
  return out;
}

function breaks(text) {
  return String(text ?? "")
    .split("\n")
    .flatMap((line, at) => (at ? [h("br"), ...withEmoji(line)] : withEmoji(line)));
}

const PARTS = {
  text: (part) => styled(h("span", {}, breaks(part.text)), part.style),
  link: (part) => styled(link(part.url, part.text || part.url), part.style),
  emoji: (part) => (knows(part.name) ? emoji(part.name) : document.createTextNode(`:${part.name}:`)),
  user: (part) => personMention(part.user_id),
  channel: (part) => channelMention(part.channel_id),
  usergroup: () => groupMention("group"),
  broadcast: (part) => groupMention(part.range),
  color: (part) =>
    h(
      "span",
      { class: "swatch-text" },
      h("span", { class: "swatch", style: { background: part.value } }),
      part.value,
    ),
  date: (part) => h("time", {}, part.fallback || dayAndTime(part.timestamp)),
};

function part(element) {
  return (PARTS[element.type] || (() => document.createTextNode(element.text || "")))(element);
}

const plainOf = (elements) => elements.map((element) => element.text || element.url || "").join("");

function container(element) {
  const children = element.elements || [];
  if (element.type === "rich_text_list") {
    const ordered = element.style === "ordered";
    return h(
      ordered ? "ol" : "ul",
      {
        class: `list list-indent-${Math.min(element.indent || 0, 6)}`,
        start: ordered && element.offset ? element.offset + 1 : null,
      },
      children.map((item) => h("li", {}, (item.elements || []).map(part))),
    );
  }
  if (element.type === "rich_text_quote") return h("blockquote", { class: "quote" }, children.map(part));
  if (element.type === "rich_text_preformatted") return copyable(plainOf(children), element.language);
  if (element.type === "rich_text_section") return h("div", { class: "rich-section" }, children.map(part));
  return part(element);
}

/** A rich_text block (or one cell of a table) as a node. */
export function richText(block) {
  return h("div", { class: "rich-text" }, (block?.elements || []).map(container));
}

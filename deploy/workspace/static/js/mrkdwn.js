// Slack's own markup (*bold*, _it_, ~s~, `code`, > quote, <url|text>, <@U…>, :emoji:) to nodes.
import { h, link } from "./dom.js";
import { emoji, knows, withEmoji } from "./emoji.js";
import { pattern, scan } from "./inline_scan.js";
import { mentionOf } from "./mention.js";
import { copyable } from "./code_block.js";

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function angle(inner) {
  const [target, label] = inner.split(/\|(.*)/s);
  const mention = mentionOf(target, label && unescape(label));
  if (mention) return mention;
  if (/^(https?:|mailto:|tel:|\/)/.test(target))
    return link(unescape(target), unescape(label || target.replace(/^mailto:/, "")));
  return document.createTextNode(unescape(`<${inner}>`));
}

/** Slack's marks hold no mark of their own kind and end on their own line, at the edge of a word. */
function marked(mark, tag) {
  return (text, at) => {
    const end = text.indexOf(mark, at + 1);
    if (end < at + 2 || edge(text[at - 1], mark) !== " ") return null;
    const inner = text.slice(at + 1, end);
    if (/^\s|\s$|\n/.test(inner) || edge(text[end + 1], mark) !== " ") return null;
    return { end: end + 1, nodes: [h(tag, {}, inline(inner))] };
  };
}

/** A neighbour of a mark: a word or the same mark stands in its way, anything else is as good as a space. */
function edge(character, mark) {
  return character && (character === mark || /\w/.test(character)) ? "w" : " ";
}

const RULES = {
  "`": [pattern(/`([^`\n]+)`/y, (match) => [h("code", { class: "code" }, unescape(match[1]))])],
  "<": [pattern(/<([^<>\n]+)>/y, (match) => [angle(match[1])])],
  "*": [marked("*", "strong")],
  _: [marked("_", "em")],
  "~": [marked("~", "s")],
  ":": [
    pattern(/:([a-z0-9_+'-]{1,60}(?:::skin-tone-\d)?):/y, (match) =>
      knows(match[1]) ? [emoji(match[1])] : null,
    ),
  ],
  h: [
    pattern(/https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/y, (match) => [
      link(unescape(match[0]), unescape(match[0])),
    ]),
  ],
};

/** One run of text to a list of nodes. */
function inline(text) {
  return scan(text, RULES, (part) => withEmoji(unescape(part)));
}

function lines(text) {
  const out = [];
  let quoted = null;
  for (const [number, line] of text.split("\n").entries()) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quote) {
      if (!quoted) out.push((quoted = h("blockquote", { class: "quote" })));
      else quoted.append(h("br"));
      quoted.append(...inline(quote[1]));
      continue;
    }
    if (number && !quoted) out.push(h("br"));
    quoted = null;
    out.push(...inline(line));
  }
  return out;
}

/** Slack mrkdwn as a fragment. */
export function mrkdwn(text) {
  const fragment = document.createDocumentFragment();
  const parts = String(text ?? "").split("```");
  parts.forEach((part, at) => {
    const fenced = at % 2 === 1 && at < parts.length - 1;
    if (fenced) fragment.append(copyable(unescape(part.replace(/^\n|\n$/g, ""))));
    else if (at % 2 === 1) fragment.append(...lines(`\`\`\`${part}`));
    else {
      const trimmed = at ? part.replace(/^\n/, "") : part;
      if (trimmed) fragment.append(...lines(at < parts.length - 1 ? trimmed.replace(/\n$/, "") : trimmed));
    }
  });
  return fragment;
}

/** A text object ({type: "mrkdwn" | "plain_text", text}) as nodes. */
export function textObject(text) {
  if (!text) return "";
  if (typeof text === "string") return mrkdwn(text);
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return plain(text.text);
}

/** Plain text keeps its line breaks and its emoji names, nothing else. */
export function plain(text) {
  return String(text ?? "")
    .split(/(:[a-z0-9_+'-]+:)/)
    .flatMap((part) => {
      const name = /^:([a-z0-9_+'-]+):$/.exec(part);
      return name && knows(name[1]) ? [emoji(name[1])] : withEmoji(part);
    });
}

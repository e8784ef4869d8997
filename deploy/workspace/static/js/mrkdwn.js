// Slack's own markup (*bold*, _it_, ~s~, `code`, > quote, <url|text>, <@U…>, :emoji:) to nodes.
import { h, link } from "./dom.js";
import { emoji, knows, withEmoji } from "./emoji.js";
import { mentionOf } from "./mention.js";
import { copyable } from "./code_block.js";

const INLINE = [
  ["code", /`([^`\n]+)`/],
  ["angle", /<([^<>\n]+)>/],
  ["bold", /(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])/],
  ["italic", /(?<![\w_])_(?=\S)([^_\n]*?\S)_(?![\w_])/],
  ["strike", /(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])/],
  ["emoji", /:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/],
  ["url", /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/],
];
const WRAP = { bold: "strong", italic: "em", strike: "s" };

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

function leaf(kind, match) {
  if (kind === "code") return h("code", { class: "code" }, unescape(match[1]));
  if (kind === "angle") return angle(match[1]);
  if (kind === "emoji") return knows(match[1]) ? emoji(match[1]) : document.createTextNode(match[0]);
  if (kind === "url") return link(unescape(match[0]), unescape(match[0]));
  return h(WRAP[kind], {}, inline(match[1]));
}

function earliest(text) {
  let best = null;
  for (const [kind, pattern] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!best || match.index < best.match.index)) best = { kind, match };
  }
  return best;
}

/** One run of text to a list of nodes. */
function inline(text) {
  const out = [];
  let rest = text;
  for (let found = earliest(rest); found; found = earliest(rest)) {
    const { kind, match } = found;
    out.push(...withEmoji(unescape(rest.slice(0, match.index))), leaf(kind, match));
    rest = rest.slice(match.index + match[0].length);
  }
  out.push(...withEmoji(unescape(rest)));
  return out;
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

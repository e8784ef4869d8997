// The inside of a Markdown paragraph: emphasis, code, links, mentions, emoji.
import { h, link, safeUrl } from "./dom.js";
import { emoji, knows, withEmoji } from "./emoji.js";
import { mentionOf } from "./mention.js";

const LINK_TARGET = String.raw`\(\s*<?((?:[^()\s<>]|\([^()\s]*\))*)>?(?:\s+["'(][^"')]*["')])?\s*\)`;
const LABEL = String.raw`((?:\\.|\[[^\[\]]*\]|[^\[\]\\])*)`;
const INLINE = [
  ["escape", /\\([!-/:-@[-`{-~])/],
  ["code", /(`+)(?!`)([\s\S]*?[^`])\1(?!`)/],
  ["image", new RegExp(String.raw`!\[${LABEL}\]${LINK_TARGET}`)],
  ["link", new RegExp(String.raw`\[${LABEL}\]${LINK_TARGET}`)],
  ["angle", /<((?:https?:|mailto:|[@#!])[^<>\n]*)>/],
  ["both", /\*\*\*(?=\S)([\s\S]*?\S)\*\*\*/],
  ["bold", /\*\*(?=\S)([\s\S]*?\S\**)\*\*|(?<!\w)__(?=\S)([\s\S]*?\S)__(?!\w)/],
  ["strike", /~~(?=\S)([\s\S]*?\S)~~/],
  [
    "italic",
    /\*(?=[^\s*])((?:\*\*[\s\S]*?\*\*|[^*])*?[^\s*]|[^\s*])\*(?!\*)|(?<!\w)_(?=[^\s_])([\s\S]*?[^\s_])_(?!\w)/,
  ],
  ["emoji", /:([a-z0-9_+'-]+):/],
  ["url", /https?:\/\/[^\s<>"'|*]*[^\s<>"'|*.,;:!?)\]}_~]/],
  ["break", / {2,}\n|\\\n|\n/],
];
const WRAP = { bold: "strong", italic: "em", strike: "s" };

function image(alt, url) {
  const href = safeUrl(url);
  if (!href) return document.createTextNode(alt);
  return h("img", { class: "inline-image", src: href, alt, loading: "lazy", referrerpolicy: "no-referrer" });
}

function angle(inner) {
  const [target, label] = inner.split(/\|(.*)/s);
  return mentionOf(target, label) || link(target, label || target.replace(/^mailto:/, ""));
}

const unescaped = (text) => text.replace(/\\([!-/:-@[-`{-~])/g, "$1");

function leaf(kind, match) {
  if (kind === "escape") return document.createTextNode(match[1]);
  if (kind === "code")
    return h("code", { class: "code" }, match[2].replace(/\n/g, " ").replace(/^ (.+) $/, "$1"));
  if (kind === "image") return image(unescaped(match[1]), match[2]);
  if (kind === "link") return link(match[2], inlineMarkdown(match[1]));
  if (kind === "angle") return angle(match[1]);
  if (kind === "emoji") return knows(match[1]) ? emoji(match[1]) : document.createTextNode(match[0]);
  if (kind === "url") return link(match[0], match[0]);
  if (kind === "break") return h("br");
  if (kind === "both") return h("strong", {}, h("em", {}, inlineMarkdown(match[1])));
  return h(WRAP[kind], {}, inlineMarkdown(match[1] ?? match[2]));
}

function earliest(text) {
  let best = null;
  for (const [kind, pattern] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!best || match.index < best.match.index)) best = { kind, match };
  }
  return best;
}

export function inlineMarkdown(text) {
  const out = [];
  let rest = text;
  for (let found = earliest(rest); found; found = earliest(rest)) {
    const { kind, match } = found;
    out.push(...withEmoji(rest.slice(0, match.index)), leaf(kind, match));
    rest = rest.slice(match.index + match[0].length);
  }
  out.push(...withEmoji(rest));
  return out;
}

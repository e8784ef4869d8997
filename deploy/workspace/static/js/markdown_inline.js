// The inside of a Markdown paragraph: emphasis, code, links, mentions, emoji.
import { h, link, safeUrl } from "./dom.js";
import { emoji, knows, withEmoji } from "./emoji.js";
import { between, codeSpan, pattern, scan } from "./inline_scan.js";
import { mentionOf } from "./mention.js";

const LABEL = String.raw`\[((?:\\.|\[[^\[\]]*\]|[^\[\]\\])*)\]`;
const TARGET = String.raw`\(\s*<?((?:[^()\s<>]|\([^()\s]*\))*)>?(?:\s+["'(][^"')]*["')])?\s*\)`;
const PUNCTUATION = /\\([!-/:-@[-`{-~])/g;

const unescaped = (text) => text.replace(PUNCTUATION, "$1");
const wrap = (tag) => (inner) => h(tag, {}, inlineMarkdown(inner));
const bothWays = (inner) => h("strong", {}, h("em", {}, inlineMarkdown(inner)));
const code = (inner) => h("code", { class: "code" }, inner.replace(/\n/g, " ").replace(/^ (.+) $/, "$1"));

function image(alt, url) {
  const src = safeUrl(url);
  if (!src) return document.createTextNode(alt);
  return h("img", { class: "inline-image", src, alt, loading: "lazy", referrerpolicy: "no-referrer" });
}

function angle(inner) {
  const [target, label] = inner.split(/\|(.*)/s);
  return mentionOf(target, label) || link(target, label || target.replace(/^mailto:/, ""));
}

const RULES = {
  "\\": [
    pattern(/\\\n/y, () => [h("br")]),
    pattern(/\\([!-/:-@[-`{-~])/y, (match) => [document.createTextNode(match[1])]),
  ],
  "`": [codeSpan(code)],
  "!": [pattern(new RegExp(`!${LABEL}${TARGET}`, "y"), (match) => [image(unescaped(match[1]), match[2])])],
  "[": [pattern(new RegExp(LABEL + TARGET, "y"), (match) => [link(match[2], inlineMarkdown(match[1]))])],
  "<": [pattern(/<((?:https?:|mailto:|[@#!])[^<>\n]*)>/y, (match) => [angle(match[1])])],
  "*": [
    between("*", 3, false, bothWays),
    between("*", 2, false, wrap("strong")),
    between("*", 1, false, wrap("em")),
  ],
  _: [
    between("_", 3, true, bothWays),
    between("_", 2, true, wrap("strong")),
    between("_", 1, true, wrap("em")),
  ],
  "~": [between("~", 2, false, wrap("s"))],
  ":": [pattern(/:([a-z0-9_+'-]{1,60}):/y, (match) => (knows(match[1]) ? [emoji(match[1])] : null))],
  h: [pattern(/https?:\/\/[^\s<>"'|*]*[^\s<>"'|*.,;:!?)\]}_~]/y, (match) => [link(match[0], match[0])])],
  "\n": [pattern(/\n/y, () => [h("br")])],
};

export function inlineMarkdown(text) {
  return scan(text.replace(/[ \t]{2,99}\n/g, "\n"), RULES, withEmoji);
}

// Walking a line of text once, from mark to mark. A message may hold 40,000 characters of unclosed marks, so a
// search for a closing mark that found none is remembered and not made again.
const SPACE = /\s/;
const WORD = /\w/;

/**
 * Cuts text into nodes. `rules` maps a character to functions (text, at, dead) → {end, nodes} or null;
 * `plain` turns what lies between into nodes. `dead` is a set in which rules note what has no closing mark left.
 */
export function scan(text, rules, plain) {
  const out = [];
  const dead = new Set();
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const found = tried(rules[text[at]], text, at, dead);
    if (!found) {
      at += 1;
      continue;
    }
    if (from < at) out.push(...plain(text.slice(from, at)));
    out.push(...found.nodes);
    from = found.end;
    at = found.end;
  }
  if (from < text.length) out.push(...plain(text.slice(from)));
  return out;
}

function tried(rules, text, at, dead) {
  for (const rule of rules || []) {
    const found = rule(text, at, dead);
    if (found) return found;
  }
  return null;
}

/** A rule from a sticky pattern; `draw(match)` gives nodes, or null where the match means nothing. */
export function pattern(sticky, draw) {
  return (text, at) => {
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    const nodes = match && draw(match);
    return nodes ? { end: at + match[0].length, nodes } : null;
  };
}

function runEnd(text, at, mark) {
  let end = at;
  while (text[end] === mark) end += 1;
  return end;
}

/** Where `size` closing marks begin at or after `from`, or -1; the marks close only after a character that is no space. */
function closing(text, from, mark, size, wordBound) {
  for (let at = text.indexOf(mark, from); at >= 0;) {
    const end = runEnd(text, at, mark);
    const length = end - at;
    const fits = size === 1 ? length % 2 === 1 : length >= size;
    const free = !wordBound || !WORD.test(text[end] || " ");
    if (fits && free && !SPACE.test(text[at - 1])) return end - size;
    at = text.indexOf(mark, end);
  }
  return -1;
}

/** A rule for text between two equal runs of `size` marks; with `wordBound` the marks do not count inside words. */
export function between(mark, size, wordBound, draw) {
  const key = mark.repeat(size);
  return (text, at, dead) => {
    if (dead.has(key) || !text.startsWith(key, at)) return null;
    const inside = at + size;
    if (SPACE.test(text[inside] || " ") || text[inside] === mark) return null;
    if (wordBound && WORD.test(text[at - 1] || " ")) return null;
    const end = closing(text, inside + 1, mark, size, wordBound);
    if (end < 0) {
      dead.add(key);
      return null;
    }
    return { end: end + size, nodes: [draw(text.slice(inside, end))] };
  };
}

/** A rule for code between runs of equally many backticks. */
export function codeSpan(draw) {
  return (text, at, dead) => {
    const inside = runEnd(text, at, "`");
    const size = inside - at;
    if (dead.has(`code ${size}`) || text[at - 1] === "`") return null;
    for (let open = text.indexOf("`", inside); open >= 0;) {
      const end = runEnd(text, open, "`");
      if (end - open === size) return { end, nodes: [draw(text.slice(inside, open))] };
      open = text.indexOf("`", end);
    }
    dead.add(`code ${size}`);
    return null;
  };
}

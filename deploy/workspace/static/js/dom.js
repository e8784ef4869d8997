// Building nodes. Text only ever enters the page as text nodes, so nothing a message says can become markup.
const SVG = "http://www.w3.org/2000/svg";

function apply(node, props) {
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") {
      for (const [name, text] of Object.entries(value)) {
        if (text !== undefined && text !== null) node.dataset[name] = text;
      }
    } else if (key === "style") {
      for (const [name, text] of Object.entries(value)) node.style.setProperty(name, text);
    } else if (key === "value" || key === "checked" || key === "selected") node[key] = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** An HTML element: `on…` props are listeners, `data` and `style` are objects, all others attributes. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  apply(node, props || {});
  return append(node, children);
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  apply(node, props || {});
  return append(node, children);
}

export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

const SAFE = new Set(["http:", "https:", "mailto:", "tel:"]);

/** The address if a person may follow it, else null: scripts and data never become links. */
export function safeUrl(url) {
  try {
    const parsed = new URL(url, location.href);
    return SAFE.has(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

export function link(url, ...children) {
  const href = safeUrl(url);
  if (!href) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", class: "link" }, ...children);
}

let counter = 0;
export function uid(prefix = "id") {
  counter += 1;
  return `${prefix}-${counter}`;
}

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

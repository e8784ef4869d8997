// Slack's select menus, single and multi, with search; the options may come from the page or from the app.
import { h, uid } from "./dom.js";
import { icon } from "./icons.js";
import { closePopover, popover } from "./popover.js";
import { textObject } from "./mrkdwn.js";

const TYPING_PAUSE_MS = 200;

const textOf = (option) => (typeof option.text === "string" ? option.text : option.text?.text || "");

function matches(option, query) {
  return textOf(option).toLowerCase().includes(query.toLowerCase());
}

function groupsOf(found, query, local) {
  const groups = found.option_groups || [{ options: found.options || [] }];
  if (!local || !query) return groups;
  return groups.map((group) => ({
    ...group,
    options: group.options.filter((option) => matches(option, query)),
  }));
}

/**
 * A select control.
 * `load(query)` gives {options} or {option_groups}; `local` says that it ignores the query, so the page filters.
 * `chosen` is the list of options picked at first; `onPick(options)` hears every change.
 */
export function select({
  placeholder,
  load,
  local = true,
  chosen = [],
  multi = false,
  max = Infinity,
  minQuery = 0,
  onPick,
  label,
  data,
}) {
  let picked = [...chosen];
  const face = h("span", { class: "select-face" });
  const button = h(
    "button",
    {
      class: `select${multi ? " select-multi" : ""}`,
      type: "button",
      role: "combobox",
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      "aria-label": label || placeholder,
      data,
    },
    face,
    icon("down", { size: 16 }),
  );

  function paint() {
    button.classList.toggle("select-empty", picked.length === 0);
    if (!picked.length) face.replaceChildren(placeholder || "Choose an option");
    else if (!multi) face.replaceChildren(...[picked[0].icon, textOf(picked[0])].filter(Boolean));
    else face.replaceChildren(...picked.map(pill));
  }

  function pill(option) {
    return h(
      "span",
      { class: "pill" },
      textOf(option),
      h(
        "span",
        {
          class: "pill-remove",
          role: "button",
          "aria-label": `Remove ${textOf(option)}`,
          onclick: (press) => {
            press.stopPropagation();
            toggle(option);
          },
        },
        icon("close", { size: 12 }),
      ),
    );
  }

  function toggle(option) {
    if (!multi) picked = [option];
    else if (picked.some((one) => one.value === option.value))
      picked = picked.filter((one) => one.value !== option.value);
    else if (picked.length < max) picked = [...picked, option];
    paint();
    onPick(picked);
  }

  button.addEventListener("click", () =>
    openList(button, {
      load,
      local,
      multi,
      minQuery,
      isPicked: (option) => picked.some((one) => one.value === option.value),
      toggle,
    }),
  );
  paint();
  return { node: button, picked: () => picked };
}

function openList(anchor, { load, local, multi, minQuery, isPicked, toggle }) {
  const listId = uid("list");
  const search = h("input", {
    class: "select-search",
    type: "text",
    placeholder: "Search",
    "aria-label": "Search options",
    "aria-controls": listId,
    autocomplete: "off",
  });
  const list = h("div", {
    class: "select-list",
    role: "listbox",
    id: listId,
    "aria-multiselectable": multi ? "true" : null,
  });
  const { place } = popover(
    anchor,
    h(
      "div",
      { class: "select-panel" },
      h("div", { class: "select-search-box" }, icon("search", { size: 16 }), search),
      list,
    ),
    { className: "popover-select" },
  );
  let round = 0;

  function optionRow(option) {
    return h(
      "button",
      {
        class: "select-option",
        type: "button",
        role: "option",
        tabindex: "-1",
        "aria-selected": String(isPicked(option)),
        data: { value: option.value },
        onclick: () => {
          toggle(option);
          if (multi) show(search.value);
          else closePopover({ refocus: true });
        },
      },
      h("span", { class: "select-check" }, isPicked(option) ? icon("check", { size: 16 }) : null),
      option.icon?.cloneNode(true),
      h(
        "span",
        { class: "select-option-text" },
        textObject(option.text),
        option.description
          ? h("span", { class: "select-description" }, textObject(option.description))
          : null,
      ),
    );
  }

  async function show(query) {
    const mine = ++round;
    if (query.length < minQuery) {
      list.replaceChildren(
        h(
          "div",
          { class: "select-note" },
          `Type ${minQuery === 1 ? "a character" : `${minQuery} characters`} to search`,
        ),
      );
      return place();
    }
    const answer = load(query);
    if (answer instanceof Promise)
      list.replaceChildren(h("div", { class: "select-note" }, h("span", { class: "spinner" }), "Looking…"));
    const found = await answer;
    if (mine !== round) return;
    const groups = groupsOf(found, query, local).filter((group) => group.options.length);
    list.replaceChildren(
      ...groups.flatMap((group) => [
        group.label ? h("div", { class: "menu-heading" }, textObject(group.label)) : "",
        ...group.options.map(optionRow),
      ]),
    );
    if (!groups.length)
      list.replaceChildren(h("div", { class: "select-note" }, found.error || "Nothing found"));
    list.querySelector(".select-option")?.classList.add("is-active");
    place();
  }

  let pause;
  search.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => show(search.value), local ? 0 : TYPING_PAUSE_MS);
  });
  search.addEventListener("keydown", (press) => walk(press, list));
  show("");
  search.focus({ preventScroll: true });
}

/** Arrow keys move the highlighted row; Enter presses it. */
export function walk(press, list, selector = ".select-option") {
  const rows = [...list.querySelectorAll(selector)];
  const at = rows.findIndex((row) => row.classList.contains("is-active"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[press.key];
  if (step && rows.length) {
    press.preventDefault();
    rows[at]?.classList.remove("is-active");
    const next = rows[(at + step + rows.length) % rows.length];
    next.classList.add("is-active");
    next.scrollIntoView({ block: "nearest" });
  } else if (press.key === "Enter" && rows[at]) {
    press.preventDefault();
    rows[at].click();
  }
}

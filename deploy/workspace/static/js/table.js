// table and data_table blocks. A data table sorts by a click on its headings and turns pages.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { richText } from "./rich_text.js";
import { drawElement } from "./elements.js";
import { plain } from "./mrkdwn.js";
import { plural } from "./time.js";

const DEFAULT_PAGE = 5;

function cellText(cell) {
  if (!cell) return "";
  if (cell.type === "rich_text") return richText(cell).textContent;
  return cell.text?.text ?? cell.text ?? String(cell.value ?? "");
}

function cellNode(cell, block, context) {
  if (!cell) return "";
  if (cell.type === "rich_text") return richText(cell);
  if (cell.type === "action" || cell.type === "button")
    return drawElement(cell.element || cell, block, context);
  return plain(cellText(cell));
}

const isNumber = (cell) => cell?.type === "raw_number";

export function tableBlock(block, context) {
  const settings = block.column_settings || [];
  const [head, ...body] = block.rows || [];
  const row = (cells, tag) =>
    h(
      "tr",
      {},
      cells.map((cell, at) =>
        h(
          tag,
          {
            class: `align-${settings[at]?.align || (isNumber(cell) ? "right" : "left")}${settings[at]?.is_wrapped ? " is-wrapped" : ""}`,
          },
          cellNode(cell, block, context),
        ),
      ),
    );
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      { class: "table" },
      head ? h("thead", {}, row(head, "th")) : null,
      h(
        "tbody",
        {},
        body.map((cells) => row(cells, "td")),
      ),
    ),
  );
}

function sorted(rows, column, descending) {
  const numeric = rows.every((row) => isNumber(row[column]));
  const order = numeric
    ? (a, b) => a[column].value - b[column].value
    : (a, b) => cellText(a[column]).localeCompare(cellText(b[column]), undefined, { numeric: true });
  return [...rows].sort((a, b) => (descending ? order(b, a) : order(a, b)));
}

export function dataTable(block, context) {
  const [head = [], ...rows] = block.rows || [];
  const size = Math.max(1, block.page_size || DEFAULT_PAGE);
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const identity = block.row_header_column_index ?? 0;
  const view = { column: null, descending: false, page: 0 };
  const numeric = head.map((_, at) => rows.length > 0 && rows.every((row) => isNumber(row[at])));
  const thead = h("tr");
  const tbody = h("tbody");
  const foot = h("div", { class: "table-foot" });

  function heading(cell, at) {
    const on = view.column === at;
    return h(
      "th",
      {
        class: `align-${numeric[at] ? "right" : "left"}`,
        scope: "col",
        "aria-sort": on ? (view.descending ? "descending" : "ascending") : "none",
      },
      h(
        "button",
        {
          class: `sort${on ? " sort-on" : ""}${view.descending && on ? " sort-down" : ""}`,
          type: "button",
          onclick: () => {
            Object.assign(view, { descending: on && !view.descending, column: at, page: 0 });
            paint();
          },
        },
        plain(cellText(cell)),
        icon("down", { size: 14 }),
      ),
    );
  }

  function turn(step, name, glyph) {
    const to = view.page + step;
    return h(
      "button",
      {
        class: "icon-button",
        type: "button",
        "aria-label": name,
        disabled: to < 0 || to >= pages,
        onclick: () => {
          view.page = to;
          paint();
        },
      },
      icon(glyph, { size: 16 }),
    );
  }

  function paint() {
    const order = view.column === null ? rows : sorted(rows, view.column, view.descending);
    const from = view.page * size;
    const shown = order.slice(from, from + size);
    thead.replaceChildren(...head.map(heading));
    tbody.replaceChildren(
      ...shown.map((row) =>
        h(
          "tr",
          {},
          row.map((cell, at) =>
            h(
              at === identity ? "th" : "td",
              {
                class: `align-${numeric[at] ? "right" : "left"}${at === identity ? " row-head" : ""}`,
                scope: at === identity ? "row" : null,
              },
              cellNode(cell, block, context),
            ),
          ),
        ),
      ),
    );
    foot.replaceChildren(
      ...(pages > 1
        ? [
            h("span", {}, `${from + 1}–${from + shown.length} of ${rows.length}`),
            turn(-1, "Previous page", "left"),
            turn(1, "Next page", "right"),
          ]
        : [h("span", {}, plural(rows.length, "row"))]),
    );
  }
  paint();
  return h(
    "div",
    { class: "data-table" },
    h(
      "div",
      { class: "table-scroll", tabindex: "0", role: "region", "aria-label": block.caption || "Table" },
      h(
        "table",
        { class: "table" },
        h("caption", { class: "table-caption" }, block.caption),
        h("thead", {}, thead),
        tbody,
      ),
    ),
    foot,
  );
}

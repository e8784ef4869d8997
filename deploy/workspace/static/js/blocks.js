// Block Kit: a list of blocks to nodes.
import { h } from "./dom.js";
import { alertBlock, card, carousel, container } from "./card.js";
import { chart } from "./chart.js";
import { dataTable, tableBlock } from "./table.js";
import { drawElement } from "./elements.js";
import { fileCard } from "./file.js";
import { foldable, imageBlock, imageElement } from "./image.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { plan, taskCard } from "./tasks.js";
import { richText } from "./rich_text.js";
import { safeUrl, link } from "./dom.js";

function section(block, context) {
  const wide =
    block.accessory &&
    !["button", "image", "overflow", "datepicker", "timepicker"].includes(block.accessory.type) &&
    !block.accessory.type.endsWith("select");
  return h(
    "div",
    { class: `section${wide ? " section-stacked" : ""}` },
    h(
      "div",
      { class: "section-main" },
      block.text ? h("div", { class: "section-text" }, textObject(block.text)) : null,
      block.fields
        ? h(
            "div",
            { class: "fields" },
            block.fields.map((field) => h("div", { class: "field" }, textObject(field))),
          )
        : null,
    ),
    block.accessory
      ? h(
          "div",
          { class: "accessory" },
          block.accessory.type === "image"
            ? imageElement(block.accessory, "image-accessory")
            : drawElement(block.accessory, block, context),
        )
      : null,
  );
}

function context_(block) {
  return h(
    "div",
    { class: "context" },
    block.elements.map((element) =>
      element.type === "image"
        ? imageElement(element, "image-context")
        : h("span", { class: "context-text" }, textObject(element)),
    ),
  );
}

function input(block, context) {
  return h(
    "div",
    { class: "input-block", data: { inputBlock: block.block_id } },
    h(
      "div",
      { class: "input-label" },
      plain(block.label?.text),
      block.optional ? h("span", { class: "input-optional" }, " (optional)") : null,
    ),
    drawElement(block.element, block, context),
    h("div", { class: "input-error", role: "alert", hidden: true }),
    block.hint ? h("div", { class: "input-hint" }, plain(block.hint.text)) : null,
  );
}

function video(block) {
  const src = safeUrl(block.thumbnail_url || "");
  return h(
    "div",
    {},
    link(block.title_url || block.video_url, block.title?.text || "Video"),
    src ? foldable("", src, block.alt_text) : null,
  );
}

const elementsRow = (className) => (block, context) =>
  h(
    "div",
    { class: className },
    block.elements.map((element) => drawElement(element, block, context)),
  );

const DRAW = {
  section,
  input,
  video,
  card,
  carousel,
  context: context_,
  alert: alertBlock,
  actions: elementsRow("actions"),
  context_actions: elementsRow("context-actions"),
  container: (block, context) => container(block, context, drawBlocks),
  data_table: dataTable,
  data_visualization: chart,
  divider: () => h("hr", { class: "divider" }),
  file: (block) => fileCard(block.file || { title: "File", id: block.external_id }),
  header: (block) => h("h3", { class: "header-block" }, plain(block.text?.text)),
  image: imageBlock,
  markdown: (block) => markdown(block.text),
  plan: (block) => plan(block.title, block.tasks || []),
  rich_text: richText,
  table: tableBlock,
  task_card: taskCard,
};

function drawBlock(block, context) {
  const draw = DRAW[block.type];
  const body = draw
    ? draw(block, context)
    : h(
        "div",
        { class: "unknown-block" },
        `A “${block.type || "nameless"}” block, which this page does not show`,
      );
  return h(
    "div",
    {
      class: `block block-${draw ? block.type : "unknown"}`,
      data: { blockId: block.block_id, blockType: block.type },
    },
    body,
  );
}

export function drawBlocks(blocks, context) {
  return blocks.map((block) => drawBlock(block, context));
}

// card, carousel, container and alert blocks.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { imageElement } from "./image.js";
import { textObject } from "./mrkdwn.js";
import { richText } from "./rich_text.js";
import { drawElement } from "./elements.js";

const ALERTS = { info: "info", warning: "alert", error: "alert", success: "check", default: "info" };

export function card(block, context) {
  return h(
    "div",
    { class: "card" },
    block.hero_image ? imageElement(block.hero_image, "card-hero") : null,
    h(
      "div",
      { class: "card-main" },
      h(
        "div",
        { class: "card-head" },
        block.icon ? imageElement(block.icon, "card-icon") : null,
        h(
          "div",
          { class: "card-titles" },
          block.title ? h("div", { class: "card-title" }, textObject(block.title)) : null,
          block.subtitle ? h("div", { class: "card-subtitle" }, textObject(block.subtitle)) : null,
        ),
      ),
      block.body ? h("div", { class: "card-body" }, textObject(block.body)) : null,
      block.subtext ? h("div", { class: "card-subtitle" }, textObject(block.subtext)) : null,
      block.actions?.length
        ? h(
            "div",
            { class: "card-actions" },
            block.actions.map((element) => drawElement(element, block, context)),
          )
        : null,
    ),
  );
}

export function carousel(block, context) {
  return h(
    "div",
    { class: "carousel", tabindex: "0", role: "group", "aria-label": "Cards" },
    block.elements.map((one) => card({ block_id: block.block_id, ...one }, context)),
  );
}

export function alertBlock(block) {
  const level = block.level in ALERTS ? block.level : "default";
  return h(
    "div",
    { class: `alert alert-${level}`, role: level === "error" ? "alert" : "note" },
    icon(ALERTS[level], { size: 18 }),
    h("div", {}, textObject(block.text)),
  );
}

export function container(block, context, drawBlocks) {
  const head = [
    block.icon ? imageElement(block.icon, "card-icon") : null,
    h(
      "div",
      { class: "card-titles" },
      h(
        "div",
        { class: "card-title" },
        block.rich_text_title ? richText(block.rich_text_title) : textObject(block.title),
      ),
      block.subtitle ? h("div", { class: "card-subtitle" }, textObject(block.subtitle)) : null,
    ),
  ];
  const body = h("div", { class: "container-body" }, drawBlocks(block.child_blocks || [], context));
  const width = `container container-${block.width || "standard"}`;
  if (!block.is_collapsible)
    return h(
      "div",
      { class: `${width}${block.has_header_divider ? " container-ruled" : ""}` },
      h("div", { class: "card-head" }, head),
      body,
    );
  return h(
    "details",
    { class: width, open: !block.default_collapsed },
    h("summary", { class: "card-head" }, head, icon("down", { size: 16 })),
    body,
  );
}

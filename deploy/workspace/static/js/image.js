// Pictures: small ones beside texts, block ones with a title that folds them away, and a full view.
import { h, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { dialog } from "./dialog.js";

function sourceOf(image) {
  const id = image.slack_file?.id || /\/(F\w+)(?:\/|$)/.exec(image.slack_file?.url || "")?.[1];
  if (image.slack_file) return id ? `/_/file/${encodeURIComponent(id)}` : null;
  return safeUrl(image.image_url || "");
}

function picture(src, alt, className) {
  const node = h("img", { src, alt, class: className, loading: "lazy", referrerpolicy: "no-referrer" });
  node.addEventListener("error", () =>
    node.replaceWith(
      h("span", { class: "image-missing" }, icon("alert", { size: 16 }), alt || "This image cannot be shown"),
    ),
  );
  return node;
}

export function imageElement(image, className = "image-small") {
  const src = sourceOf(image);
  return src
    ? picture(src, image.alt_text || "", className)
    : h("span", { class: "image-missing" }, image.alt_text || "image");
}

function lightbox(src, alt) {
  dialog({
    title: alt || "Image",
    body: h("img", { src, alt, class: "lightbox-image" }),
    className: "dialog-wide",
  });
}

/** A picture with a heading that folds it. */
export function foldable(title, src, alt, width) {
  const shown = h(
    "button",
    {
      class: "image-frame",
      type: "button",
      "aria-label": `Open ${alt || title || "image"}`,
      onclick: () => lightbox(src, alt || title),
    },
    picture(src, alt, "image-block"),
  );
  if (width) shown.style.setProperty("max-width", `${width}px`);
  const details = h(
    "details",
    { class: "fold", open: true },
    h("summary", { class: "fold-title" }, title, icon("down", { size: 14 })),
    shown,
  );
  return title ? details : shown;
}

export function imageBlock(block) {
  const src = sourceOf(block);
  if (!src) return h("div", { class: "image-missing" }, block.alt_text || "image");
  return foldable(block.title?.text, src, block.alt_text || "");
}

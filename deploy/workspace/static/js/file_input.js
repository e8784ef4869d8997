// The Block Kit element that takes files: they are read at once and travel with the submission.
import { h } from "./dom.js";
import { base64 } from "./attachments.js";

export function fileInput(element, block, context) {
  const hold = (files) => context.hold(block.block_id, element.action_id, { type: element.type, files });
  const field = h("input", {
    class: "input input-file",
    type: "file",
    accept: (element.filetypes || []).map((ending) => `.${ending}`).join(",") || null,
    multiple: (element.max_files || 10) > 1,
    "aria-label": block.label?.text,
    data: { actionId: element.action_id, blockId: block.block_id },
  });
  field.addEventListener("change", async () => {
    const files = [...field.files].map(async (file) => ({
      name: file.name,
      mimetype: file.type || undefined,
      content_base64: await base64(file),
    }));
    hold(await Promise.all(files));
  });
  hold([]);
  return field;
}

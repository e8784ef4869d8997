// Block Kit elements that take typed values: text, numbers, addresses, dates and times.
import { h } from "./dom.js";
import { dispatch } from "./dispatch.js";

const TYPED = {
  plain_text_input: { type: "text", field: "value", initial: "initial_value" },
  number_input: { type: "number", field: "value", initial: "initial_value" },
  email_text_input: { type: "email", field: "value", initial: "initial_value" },
  url_text_input: { type: "url", field: "value", initial: "initial_value" },
  rich_text_input: { type: "text", field: "rich_text_value", initial: "initial_value", rich: true },
  datepicker: { type: "date", field: "selected_date", initial: "initial_date" },
  timepicker: { type: "time", field: "selected_time", initial: "initial_time" },
  datetimepicker: { type: "datetime-local", field: "selected_date_time", initial: "initial_date_time" },
};

const localIso = (seconds) =>
  new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 16);

const asRichText = (text) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }],
});
const wordsOf = (value) =>
  (value.elements || [])
    .flatMap((section) => section.elements || [])
    .map((part) => part.text || part.url || "")
    .join("");

function shown(kind, value) {
  if (value === undefined || value === null) return "";
  if (kind.rich) return wordsOf(value);
  return kind.type === "datetime-local" ? localIso(Number(value)) : String(value);
}

function read(kind, text) {
  if (!text) return null;
  if (kind.rich) return asRichText(text);
  return kind.type === "datetime-local" ? Math.floor(new Date(text).getTime() / 1000) : text;
}

function grow(area) {
  area.style.setProperty("height", "auto");
  area.style.setProperty("height", `${Math.min(area.scrollHeight + 2, 320)}px`);
}

function counter(element, field) {
  const node = h("span", { class: "input-count", "aria-hidden": "true" });
  const paint = () => {
    const left = element.max_length - field.value.length;
    node.textContent = left <= 50 ? String(left) : "";
    node.classList.toggle("input-count-low", left <= 10);
  };
  field.addEventListener("input", paint);
  paint();
  return node;
}

function draw(kind, element, block, context) {
  const held = context.held(block.block_id, element.action_id);
  const value = shown(kind, held ? held[kind.field] : element[kind.initial]);
  const fields = () => ({ [kind.field]: read(kind, field.value) });
  const remember = () => context.hold(block.block_id, element.action_id, { type: element.type, ...fields() });
  const tall = element.multiline || kind.rich;
  const field = h(tall ? "textarea" : "input", {
    class: `input input-${kind.type}`,
    type: tall ? null : kind.type,
    placeholder: element.placeholder?.text,
    value,
    maxlength: element.max_length,
    minlength: element.min_length,
    min: element.min_value,
    max: element.max_value,
    rows: tall ? 4 : null,
    step: element.is_decimal_allowed ? "any" : null,
    "aria-label": element.accessibility_label || block.label?.text || element.placeholder?.text,
    autocomplete: "off",
    data: { actionId: element.action_id, blockId: block.block_id },
  });
  if (element.focus_on_load) field.dataset.autofocus = "true";
  const triggers = element.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  const dated = kind.field.startsWith("selected");
  const send = () => dispatch(element, block, context, fields(), field);
  field.addEventListener("input", () => {
    remember();
    if (tall) grow(field);
    if (!dated && context.acts(block) && triggers.includes("on_character_entered")) send();
  });
  field.addEventListener("change", () => {
    if (dated && context.acts(block)) send();
  });
  field.addEventListener("keydown", (press) => {
    if (
      press.key === "Enter" &&
      !tall &&
      !dated &&
      context.acts(block) &&
      triggers.includes("on_enter_pressed")
    )
      send();
  });
  remember();
  if (!element.max_length) return field;
  return h("span", { class: "input-counted" }, field, counter(element, field));
}

/** The drawing of one typed input, or undefined when the type is none. */
export function typedInput(type) {
  const kind = TYPED[type];
  return kind ? (element, block, context) => draw(kind, element, block, context) : undefined;
}

// The app's modals: a stack of views, the topmost shown.
import { h } from "./dom.js";
import { act } from "./api.js";
import { dialog, focusFirst } from "./dialog.js";
import { drawBlocks } from "./blocks.js";
import { inView } from "./block_context.js";
import { plain } from "./mrkdwn.js";
import { store } from "./store.js";
import { avatar } from "./avatar.js";

const stack = []; // {view, context}
let shown = null; // the open dialog

const top = () => stack.at(-1);

function title(view) {
  return [avatar(store.bot.user_id, 24), h("span", {}, plain(view.title?.text || store.bot.name))];
}

/** The person closes the topmost view, or all of them where the view says so. */
function leave({ all = false } = {}) {
  const { view } = top();
  stack.splice(all ? 0 : stack.length - 1);
  act("close_view", { view_id: view.id }, { quiet: true });
  paint();
}

function clearErrors(node) {
  for (const error of node.querySelectorAll(".input-error")) error.hidden = true;
  for (const block of node.querySelectorAll(".input-block.has-error")) block.classList.remove("has-error");
}

function busy(on) {
  const submit = shown?.node.querySelector("[data-testid=modal-submit]");
  if (!submit) return;
  submit.disabled = on;
  submit.classList.toggle("is-busy", on);
}

/** The page's own check before the app is asked: what is required and what must have a form. */
function missing({ view, context }) {
  const errors = {};
  for (const block of view.blocks.filter((one) => one.type === "input")) {
    const { block_id: id, element, optional } = block;
    const held = context.held(id, element.action_id) || {};
    const values = Object.entries(held)
      .filter(([key]) => key !== "type")
      .map(([, value]) => value);
    const empty = values.every(
      (value) => value === null || value === undefined || value === "" || value.length === 0,
    );
    if (empty && !optional) errors[id] = "Please complete this required field.";
    else if (!empty && element.type === "email_text_input" && !/^\S+@\S+\.\S+$/.test(held.value))
      errors[id] = "Enter a valid email address.";
    else if (!empty && element.type === "url_text_input" && !URL.canParse(held.value))
      errors[id] = "Enter a valid web address, starting with https://.";
    else if (!empty && element.min_length && held.value?.length < element.min_length)
      errors[id] = `Enter at least ${element.min_length} characters.`;
  }
  return errors;
}

async function submit() {
  const entry = top();
  clearErrors(shown.node);
  const errors = missing(entry);
  if (Object.keys(errors).length) return showErrors(entry.view.id, errors);
  busy(true);
  await act("submit_view", { view_id: entry.view.id, state: entry.context.state });
  if (top() === entry) busy(false);
  return undefined;
}

function paint() {
  shown?.close();
  shown = null;
  const entry = top();
  if (!entry) return;
  const { view, context } = entry;
  const foot =
    view.submit || view.close
      ? [
          h(
            "button",
            { class: "button", type: "button", "data-testid": "modal-close", onclick: () => leave() },
            view.close?.text || "Cancel",
          ),
          view.submit
            ? h(
                "button",
                {
                  class: "button button-primary button-solid",
                  type: "button",
                  "data-testid": "modal-submit",
                  onclick: submit,
                },
                view.submit.text,
              )
            : null,
        ]
      : null;
  shown = dialog({
    title: title(view),
    body: drawBlocks(view.blocks || [], context),
    foot,
    testid: "modal",
    className: "modal",
    sturdy: true,
    data: { view: view.id, callback: view.callback_id },
    onDismiss: () => leave({ all: view.clear_on_close }),
    onBack: stack.length > 1 ? () => leave() : null,
  });
  shown.node.addEventListener("keydown", (press) => {
    if (
      press.key !== "Enter" ||
      !view.submit ||
      !(press.metaKey || press.ctrlKey || (press.target.matches("input.input") && !press.defaultPrevented))
    )
      return;
    press.preventDefault();
    submit();
  });
}

function entryOf(view, from) {
  const context = inView(view.id, "modal");
  if (from) context.values = structuredClone(from.context.values);
  return { view, context };
}

export function openView(view) {
  stack.splice(0);
  stack.push(entryOf(view));
  paint();
}

export function pushView(view) {
  stack.push(entryOf(view));
  paint();
}

/** Replaces one view; what was typed into blocks that stay is kept, and so are scroll and focus. */
export function updateView(view) {
  const at = stack.findIndex((entry) => entry.view.id === view.id);
  if (at < 0) return;
  const old = stack[at];
  stack[at] = entryOf(view, old);
  const kept = new Set((view.blocks || []).map((block) => block.block_id));
  for (const id of Object.keys(stack[at].context.values))
    if (!kept.has(id)) delete stack[at].context.values[id];
  if (at !== stack.length - 1) return;
  const scroll = shown?.node.querySelector(".dialog-body").scrollTop || 0;
  const focused = document.activeElement?.dataset?.actionId;
  paint();
  shown.node.querySelector(".dialog-body").scrollTop = scroll;
  const again = focused && shown.node.querySelector(`[data-action-id="${CSS.escape(focused)}"]`);
  if (again) again.focus({ preventScroll: true });
  else focusFirst(shown.node);
}

export function closeView(viewId, all) {
  const at = stack.findIndex((entry) => entry.view.id === viewId);
  if (at < 0 && !all) return;
  stack.splice(all ? 0 : at);
  paint();
}

export function showErrors(viewId, errors) {
  busy(false);
  if (top()?.view.id !== viewId || !shown) return;
  for (const [blockId, text] of Object.entries(errors)) {
    const block = shown.node.querySelector(`[data-input-block="${CSS.escape(blockId)}"]`);
    const place = block?.querySelector(".input-error");
    if (!place) continue;
    place.textContent = text;
    place.hidden = false;
    block.classList.add("has-error");
  }
  shown.node.querySelector(".has-error")?.scrollIntoView({ block: "nearest" });
}

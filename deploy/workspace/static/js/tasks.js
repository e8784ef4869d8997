// The plan of an answer: its tasks with their states, as they come in while it is written.
import { h, link, svg } from "./dom.js";
import { icon } from "./icons.js";
import { richText } from "./rich_text.js";
import { mrkdwn } from "./mrkdwn.js";

const SAID = { pending: "waiting", in_progress: "in progress", complete: "done", error: "failed" };

function mark(status) {
  if (status === "complete")
    return h("span", { class: "task-mark task-complete" }, icon("check", { size: 14 }));
  if (status === "error") return h("span", { class: "task-mark task-error" }, icon("close", { size: 14 }));
  if (status === "in_progress") return h("span", { class: "task-mark" }, h("span", { class: "spinner" }));
  return h(
    "span",
    { class: "task-mark task-pending" },
    svg(
      "svg",
      { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
      svg("circle", {
        cx: 8,
        cy: 8,
        r: 6.5,
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 1.5,
        "stroke-dasharray": "2.6 2.5",
      }),
    ),
  );
}

const body = (text) => (text && typeof text === "object" ? richText(text) : mrkdwn(text));

export function taskCard(task) {
  const extra = [task.details, task.output].filter(Boolean);
  const sources = task.sources || [];
  const title = [
    mark(task.status),
    h("span", { class: `task-title${task.status === "in_progress" ? " shimmer" : ""}` }, task.title),
    h("span", { class: "visually-hidden" }, SAID[task.status] || task.status),
  ];
  const props = {
    class: "task",
    "data-testid": "task",
    data: { taskId: task.id || task.task_id, status: task.status },
  };
  if (!extra.length && !sources.length) return h("div", props, h("div", { class: "task-head" }, title));
  return h(
    "details",
    { ...props, open: task.status === "error" },
    h("summary", { class: "task-head" }, title, icon("right", { size: 14 })),
    h(
      "div",
      { class: "task-body" },
      extra.map((text) => h("div", {}, body(text))),
      sources.length
        ? h(
            "div",
            { class: "task-sources" },
            sources.map((source) => link(source.url, source.text?.text || source.text || source.url)),
          )
        : null,
    ),
  );
}

function headline(title, tasks) {
  if (title) return title;
  const running = tasks.find((task) => task.status === "in_progress");
  return running ? running.title : "How this was answered";
}

/** A plan block, or the tasks of a stream, folded once everything is done. */
export function plan(title, tasks, { folded = false } = {}) {
  const done = tasks.filter((task) => task.status === "complete").length;
  const failed = tasks.some((task) => task.status === "error");
  return h(
    "details",
    { class: "plan", open: !folded || failed, "data-testid": "plan" },
    h(
      "summary",
      { class: "plan-head" },
      icon("right", { size: 14 }),
      h("span", { class: "plan-title" }, headline(title, tasks)),
      h("span", { class: "plan-count" }, `${done} of ${tasks.length}`),
    ),
    h("div", { class: "plan-tasks" }, tasks.map(taskCard)),
  );
}

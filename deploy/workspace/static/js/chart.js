// data_visualization blocks: bar, line, area and pie charts as SVG, with a legend and a tip on each point.
import { h, svg } from "./dom.js";

const COLOURS = 8; // --chart-1 … --chart-8 in tokens.css; after those they repeat
const WIDTH = 560;
const HEIGHT = 240;
const ROOM = { top: 12, right: 12, bottom: 30, left: 52 };
const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 4 });
// Three significant digits keep a small sum's ticks apart, where two decimals would round 0.025 to 0.03.
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 });

const colour = (at) => `var(--chart-${(at % COLOURS) + 1})`;

/** A round step so that about four lines cross the plot. */
function niceStep(span) {
  const rough = span / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) * power;
}

function scaleOf(series) {
  const values = series.flatMap((one) => one.data.map((point) => Number(point.value) || 0));
  const high = Math.max(0, ...values);
  const low = Math.min(0, ...values);
  const step = niceStep(high - low);
  const top = Math.max(step, Math.ceil(high / step - 1e-9) * step);
  const bottom = Math.floor(low / step + 1e-9) * step;
  const ticks = [];
  for (let at = 0; bottom + at * step <= top + step / 1e6; at += 1) ticks.push(bottom + at * step);
  const plot = HEIGHT - ROOM.top - ROOM.bottom;
  return { ticks, y: (value) => ROOM.top + ((top - value) / (top - bottom)) * plot };
}

function tipBox(frame) {
  const tip = h("div", { class: "chart-tip", role: "status", hidden: true });
  frame.append(tip);
  return (target, text) => {
    const show = (event) => {
      const at = target.getBoundingClientRect();
      const host = frame.getBoundingClientRect();
      tip.textContent = text;
      tip.hidden = false;
      const half = tip.offsetWidth / 2;
      const [x, y] =
        event.type === "focus" ? [at.left + at.width / 2, at.top] : [event.clientX, event.clientY - 4];
      tip.style.setProperty("left", `${Math.min(Math.max(x - host.left, half), host.width - half)}px`);
      tip.style.setProperty("top", `${y - host.top}px`);
    };
    target.setAttribute("tabindex", "0");
    target.setAttribute("role", "img");
    target.setAttribute("aria-label", text);
    target.addEventListener("pointermove", show);
    target.addEventListener("focus", show);
    target.addEventListener("pointerleave", () => {
      tip.hidden = true;
    });
    target.addEventListener("blur", () => {
      tip.hidden = true;
    });
  };
}

function grid({ ticks, y }, categories, axis) {
  const band = (WIDTH - ROOM.left - ROOM.right) / Math.max(categories.length, 1);
  const every = Math.max(1, Math.ceil(categories.length / 8));
  const room = Math.max(4, Math.floor((band * every) / 6.5));
  const cut = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
  const x = (at) => ROOM.left + band * (at + 0.5);
  return {
    x,
    band,
    nodes: [
      ticks.map((tick) =>
        svg(
          "g",
          { class: tick === 0 ? "chart-base" : "chart-grid" },
          svg("line", { x1: ROOM.left, x2: WIDTH - ROOM.right, y1: y(tick), y2: y(tick) }),
          svg("text", { x: ROOM.left - 8, y: y(tick) + 4, "text-anchor": "end" }, SHORT.format(tick)),
        ),
      ),
      categories.map((name, at) =>
        at % every
          ? null
          : svg(
              "text",
              { x: x(at), y: HEIGHT - 10, "text-anchor": "middle" },
              cut(name),
              svg("title", {}, name),
            ),
      ),
      axis.y_label ? svg("title", {}, axis.y_label) : null,
    ],
  };
}

const pointsOf = (series, categories) => {
  const byLabel = new Map(series.data.map((point) => [point.label, Number(point.value)]));
  return categories
    .map((name, at) => ({ at, name, value: byLabel.get(name) }))
    .filter((point) => Number.isFinite(point.value));
};

function bars(series, categories, scale, frame, withTip) {
  const thick = Math.min(40, (frame.band * 0.72) / series.length);
  return series.flatMap((one, nth) =>
    pointsOf(one, categories).map((point) => {
      const x = frame.x(point.at) - (thick * series.length) / 2 + nth * thick;
      const [from, to] = [scale.y(Math.max(point.value, 0)), scale.y(Math.min(point.value, 0))];
      const bar = svg("rect", {
        x: x + 1,
        y: from,
        width: Math.max(thick - 2, 1),
        height: point.value ? Math.max(to - from, 1) : 0,
        rx: Math.min(3, thick / 4),
        class: "chart-bar",
        style: { fill: colour(nth) },
      });
      withTip(bar, `${point.name} · ${one.name}: ${NUMBER.format(point.value)}`);
      return bar;
    }),
  );
}

function curves(series, categories, scale, frame, withTip, filled) {
  return series.map((one, nth) => {
    const points = pointsOf(one, categories).map((point) => ({
      ...point,
      x: frame.x(point.at),
      y: scale.y(point.value),
    }));
    const d = points
      .map((point, at) => `${at ? "L" : "M"}${point.x.toFixed(1)} ${point.y.toFixed(1)}`)
      .join("");
    const base = scale.y(0);
    const dots = points.map((point) => {
      const dot = svg("circle", {
        cx: point.x,
        cy: point.y,
        r: 4,
        class: "chart-dot",
        style: { fill: colour(nth) },
      });
      withTip(dot, `${point.name} · ${one.name}: ${NUMBER.format(point.value)}`);
      return dot;
    });
    return svg(
      "g",
      {},
      filled && points.length
        ? svg("path", {
            d: `${d}L${points.at(-1).x} ${base}L${points[0].x} ${base}Z`,
            class: "chart-area",
            style: { fill: colour(nth) },
          })
        : null,
      svg("path", { d, class: "chart-line", style: { stroke: colour(nth) } }),
      dots,
    );
  });
}

function plot(chart, withTip) {
  const series = chart.series || [];
  const axis = chart.axis_config || {};
  const categories = axis.categories || series[0]?.data.map((point) => point.label) || [];
  const scale = scaleOf(series);
  const frame = grid(scale, categories, axis);
  const marks =
    chart.type === "bar"
      ? bars(series, categories, scale, frame, withTip)
      : curves(series, categories, scale, frame, withTip, chart.type === "area");
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart-plot" }, frame.nodes, marks);
}

function slice(from, to, at) {
  const point = (turn, radius) =>
    [100 + radius * Math.sin(turn * 2 * Math.PI), 100 - radius * Math.cos(turn * 2 * Math.PI)]
      .map((value) => value.toFixed(2))
      .join(" ");
  const large = to - from > 0.5 ? 1 : 0;
  if (to - from > 0.9999)
    return svg("circle", { cx: 100, cy: 100, r: 71, class: "chart-ring", style: { stroke: colour(at) } });
  return svg("path", {
    d: `M${point(from, 92)}A92 92 0 ${large} 1 ${point(to, 92)}L${point(to, 50)}A50 50 0 ${large} 0 ${point(from, 50)}Z`,
    class: "chart-slice",
    style: { fill: colour(at) },
  });
}

function pie(chart, withTip) {
  const total =
    chart.segments.reduce((sum, segment) => sum + Math.max(0, Number(segment.value) || 0), 0) || 1;
  let from = 0;
  const slices = chart.segments.map((segment, at) => {
    const share = Math.max(0, Number(segment.value) || 0) / total;
    const node = slice(from, from + share, at);
    from += share;
    withTip(node, `${segment.label}: ${NUMBER.format(segment.value)} (${Math.round(share * 100)} %)`);
    return node;
  });
  return svg("svg", { viewBox: "0 0 200 200", class: "chart-pie" }, slices);
}

function legend(names) {
  return h(
    "ul",
    { class: "chart-legend" },
    names.map((name, at) =>
      h("li", {}, h("span", { class: "chart-key", style: { background: colour(at) } }), name),
    ),
  );
}

export function chart(block) {
  const { chart: spec = {}, title } = block;
  const frame = h("div", { class: "chart-frame" });
  const withTip = tipBox(frame);
  const round = spec.type === "pie";
  const known = round ? Array.isArray(spec.segments) : ["bar", "line", "area"].includes(spec.type);
  if (!known)
    return h(
      "div",
      { class: "unknown-block" },
      `A “${spec.type || "nameless"}” chart, which this page does not show`,
    );
  frame.prepend(round ? pie(spec, withTip) : plot(spec, withTip));
  const names = round
    ? spec.segments.map((segment) => `${segment.label} · ${NUMBER.format(segment.value)}`)
    : spec.series.map((series) => series.name);
  const labels = [spec.axis_config?.y_label, spec.axis_config?.x_label].filter(Boolean).join(" by ");
  return h(
    "figure",
    { class: `chart${round ? " chart-round" : ""}`, data: { chart: spec.type }, "aria-label": title },
    h(
      "figcaption",
      { class: "chart-title" },
      title,
      labels ? h("span", { class: "chart-axes" }, labels) : null,
    ),
    h("div", { class: "chart-body" }, frame, legend(names)),
  );
}

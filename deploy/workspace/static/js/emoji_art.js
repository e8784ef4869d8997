// Drawings of the commonest emoji on a 24×24 grid: [tag, attributes] lists.
const SKIN = "#ffcb4c";
const SHADE = "#e2a02a";
const INK = "#664500";
const RED = "#dd2e44";
const GREEN = "#3eaf4c";
const BLUE = "#3b88c3";
const GREY = "#99aab5";

const path = (d, fill, extra = {}) => ["path", { d, fill, ...extra }];
const line = (d, stroke, width = 2) => [
  "path",
  { d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" },
];
const dot = (cx, cy, r, fill) => ["circle", { cx, cy, r, fill }];
const box = (x, y, width, height, fill, rx = 1) => ["rect", { x, y, width, height, fill, rx }];

const thumb =
  "M8.5 10.5 12 3.7c.4-.8 1-1.2 1.9-1.2 1.5 0 2.4 1.3 2.1 2.8L15.2 9h4.3c1.7 0 2.8 1.4 2.4 3l-1.6 7c-.3 1.4-1.3 2.2-2.7 2.2H8.5z";
const face = dot(12, 12, 10, SKIN);
const eyes = [
  ["ellipse", { cx: 8.5, cy: 9.8, rx: 1.3, ry: 1.8, fill: INK }],
  ["ellipse", { cx: 15.5, cy: 9.8, rx: 1.3, ry: 1.8, fill: INK }],
];
const disc = (fill) => [dot(12, 12, 10, fill)];
const sheet = [path("M5 2h10l4 4v16H5z", "#ccd6dd"), path("M15 2v4h4z", GREY)];

export const art = {
  "+1": [
    box(2.5, 10, 5, 11.5, BLUE, 1.2),
    path(thumb, SKIN),
    line("M15.5 12.5h5.2M15 15.3h5M14.7 18h4.5", SHADE, 1.1),
  ],
  "-1": [
    box(16.5, 2.5, 5, 11.5, BLUE, 1.2),
    path(
      "M15.5 13.5 12 20.3c-.4.8-1 1.2-1.9 1.2-1.5 0-2.4-1.3-2.1-2.8L8.8 15H4.5c-1.7 0-2.8-1.4-2.4-3l1.6-7c.3-1.4 1.3-2.2 2.7-2.2h9.1z",
      SKIN,
    ),
    line("M8.5 11.5H3.3M9 8.7H4M9.3 6h-4.5", SHADE, 1.1),
  ],
  eyes: [
    ["ellipse", { cx: 7, cy: 12, rx: 5, ry: 8, fill: "#fff", stroke: GREY, "stroke-width": 1 }],
    ["ellipse", { cx: 17, cy: 12, rx: 5, ry: 8, fill: "#fff", stroke: GREY, "stroke-width": 1 }],
    ["ellipse", { cx: 5.2, cy: 12, rx: 2.2, ry: 3.6, fill: "#292f33" }],
    ["ellipse", { cx: 15.2, cy: 12, rx: 2.2, ry: 3.6, fill: "#292f33" }],
  ],
  tada: [
    path("M2 22 7 8l9 9z", "#f4900c"),
    path("M4 16.5 6 11l7 7-5.5 2z", "#ffcc4d"),
    line("M12 9c0-3 1-4 3-5M15.5 12c3-1.5 4.5-1 6 .5M13.5 10.5c2.5-.5 4-2 4.5-4", BLUE, 1.6),
    dot(19, 3.5, 1.3, RED),
    dot(9.5, 3.5, 1.2, GREEN),
    dot(21, 17, 1.3, "#9266cc"),
    dot(20.5, 8, 1, "#ffcc4d"),
  ],
  heart: [
    path(
      "M12 21.5C5 16.5 1.5 12.5 1.5 8.3 1.5 5 4 2.7 7 2.7c2.1 0 3.9 1.1 5 2.9 1.1-1.8 2.9-2.9 5-2.9 3 0 5.5 2.3 5.5 5.6 0 4.2-3.5 8.2-10.5 13.2z",
      RED,
    ),
  ],
  white_check_mark: [box(2, 2, 20, 20, GREEN, 4), line("m6.5 12.5 4 4 7.5-9", "#fff", 2.8)],
  x: [line("m4.5 4.5 15 15M19.5 4.5l-15 15", RED, 4)],
  no_entry_sign: [line("M12 3a9 9 0 1 0 .01 0zM5.6 5.6l12.8 12.8", RED, 3)],
  heavy_minus_sign: [line("M4 12h16", "#616061", 4)],
  game_die: [
    box(2.5, 2.5, 19, 19, RED, 4.5),
    ...[7.5, 16.5].flatMap((x) => [7.5, 16.5].map((y) => dot(x, y, 1.9, "#fff"))),
    dot(12, 12, 1.9, "#fff"),
  ],
  warning: [
    path("M10.3 3.2c.8-1.4 2.6-1.4 3.4 0l8.8 15.6c.8 1.3-.1 3-1.7 3H3.2c-1.6 0-2.5-1.7-1.7-3z", "#ffcc4d"),
    line("M12 8.5v6", "#231f20", 2.4),
    dot(12, 18, 1.5, "#231f20"),
  ],
  wave: [
    path(
      "M6 13.5 4.2 8.8c-.4-1 .1-2 1-2.3.9-.3 1.8.1 2.2 1l1.5 3.3-2-6c-.3-1 .2-2 1.1-2.3.9-.3 1.9.2 2.2 1.2l2 5.9-1-6c-.2-1 .5-1.9 1.4-2 1-.2 1.9.4 2.1 1.4l1.5 6.8.4-2.5c.2-1 1-1.7 2-1.5 1 .1 1.6 1 1.5 2l-.7 7c-.4 4-3.2 6.7-7 6.7-3.2 0-5.4-2.3-6.4-5z",
      SKIN,
    ),
    line("M2 16c.3 2.5 1.8 4.7 4 6M21.5 4c.6.8.9 1.7 1 2.7", BLUE, 1.4),
  ],
  smile: [
    face,
    ...eyes,
    path("M6 13.5h12c-.3 4-2.7 6-6 6s-5.7-2-6-6z", INK),
    path("M7.2 13.5h9.6l-.5 2H7.7z", "#fff"),
  ],
  slightly_smiling_face: [face, ...eyes, line("M7.5 15.5c2 3 7 3 9 0", INK, 1.7)],
  thinking_face: [
    face,
    ...eyes,
    line("M8.5 15.8c2-1 4-1 6 0M6 6.5c1-1 2.5-1.3 4-.8M14.5 6.5c1.3-.6 2.5-.5 3.5.3", INK, 1.4),
    path("M6 22.5c-1.5-1-1.7-3-.7-4.5l5 .3c1 0 1.4 1.5.3 1.8l-1.6.4c0 2-1.5 3-3 2z", SHADE),
  ],
  joy: [
    face,
    line("M6 10c.8-1.5 2.7-1.5 3.5 0M14.5 10c.8-1.5 2.7-1.5 3.5 0", INK, 1.6),
    path("M6 13.5h12c-.3 4-2.7 6-6 6s-5.7-2-6-6z", INK),
    path(
      "M3.5 12c-1.5 1.5-2.5 3.5-1.3 4.5 1.3 1 2.5-1 2.8-3.5zM20.5 12c1.5 1.5 2.5 3.5 1.3 4.5-1.3 1-2.5-1-2.8-3.5z",
      "#5dadec",
    ),
  ],
  rocket: [
    path("M21.5 2.5c-5 0-9.5 2-12.5 6.5L6 14l4 4 5-3c4.5-3 6.5-7.5 6.5-12.5z", "#ccd6dd"),
    path("M9 9 4 9.5 2 13l4.5.5zM15 15l-.5 5-3.5 2-.5-4.5z", RED),
    dot(15.5, 8.5, 2.3, BLUE),
    path("M6 15.5c-2.5.5-3.5 3-3.8 6.3 3.3-.3 5.8-1.3 6.3-3.8z", "#f4900c"),
  ],
  fire: [
    path(
      "M12 1.5c.8 4 6.5 6.5 6.5 13 0 4.5-3 8-6.5 8s-6.5-3.5-6.5-7.5c0-3 1.5-4.5 2.5-6.5.3 1.5 1 2.3 2 2.8C9.5 7 10.5 4 12 1.5z",
      "#f4900c",
    ),
    path("M12 12c.5 2 3 3.3 3 6.2 0 2.3-1.3 4.3-3 4.3s-3-2-3-4.2c0-2.8 2.3-3.8 3-6.3z", "#ffcc4d"),
  ],
  bulb: [
    path("M12 1.5c4.3 0 7.3 3.2 7.3 7 0 3.5-2.8 5-3.3 8H8c-.5-3-3.3-4.5-3.3-8 0-3.8 3-7 7.3-7z", "#ffd983"),
    line("M9.5 9.5 12 12l2.5-2.5M12 12v4.5", "#f4900c", 1.2),
    box(8, 17, 8, 4, GREY, 1),
    box(10, 21, 4, 1.7, "#66757f", 0.8),
  ],
  mag: [
    line("m14.5 14.5 7 7", "#66757f", 3.2),
    ["circle", { cx: 9.5, cy: 9.5, r: 7, fill: "#bbddf5", stroke: GREY, "stroke-width": 2 }],
  ],
  hourglass: [
    path("M6 3h12v3.5c0 3-3.5 4-3.5 5.5S18 14.5 18 17.5V21H6v-3.5c0-3 3.5-4 3.5-5.5S6 9.5 6 6.5z", "#bbddf5"),
    path("M8 7h8c-.5 2-3 2.8-4 5-1-2.2-3.5-3-4-5zM7.5 20c.5-2.5 3-3 4.5-5 1.5 2 4 2.5 4.5 5z", "#ffac33"),
    box(4.5, 1.5, 15, 2.2, "#3b94d9", 1),
    box(4.5, 20.3, 15, 2.2, "#3b94d9", 1),
  ],
  question: [
    line("M7.5 7.5c0-2.7 2-4.5 4.7-4.5s4.6 1.7 4.6 4.2c0 3.6-4.6 3.8-4.6 7.3", RED, 3.2),
    dot(12.2, 20, 2, RED),
  ],
  exclamation: [line("M12 3.5v10.5", RED, 3.8), dot(12, 20, 2.2, RED)],
  100: [
    line(
      "M3 9.5 5 8v7M8.5 9.5c0-2 3.5-2 3.5 0v3.5c0 2-3.5 2-3.5 0zM15.5 8.5c0-2 3.5-2 3.5 0v3.5c0 2-3.5 2-3.5 0z",
      RED,
      1.9,
    ),
    line("M4 19c5-1.5 10-2 16-2M8 21.5c3.5-.8 6-1 9-1", RED, 1.5),
  ],
  memo: [
    ...sheet,
    line("M8 10h8M8 13h8M8 16h4.5", "#66757f", 1.2),
    path("m13 20 1-3 6.5-6.5 2 2L16 19z", "#ffac33"),
  ],
  page_facing_up: [...sheet, line("M8 9.5h8M8 12.5h8M8 15.5h8M8 18.5h5", "#66757f", 1.2)],
  bar_chart: [
    box(2, 2, 20, 20, "#ccd6dd", 2),
    box(5, 10, 3.5, 9, GREEN, 0.5),
    box(10.3, 5, 3.5, 14, RED, 0.5),
    box(15.5, 8, 3.5, 11, BLUE, 0.5),
  ],
  books: [
    box(2.5, 4, 5, 17, RED, 1),
    box(8.5, 3, 5, 18, GREEN, 1),
    path("m14.7 5 4.6-1.4 4 15.8-4.6 1.4z", BLUE),
    line("M2.5 7.5h5M8.5 7h5M15.5 8.5l4.6-1.3", "#fff", 1.2),
  ],
  robot_face: [
    box(3.5, 6, 17, 14, "#99aab5", 3),
    box(5.5, 8, 13, 10, "#e1e8ed", 2),
    dot(9, 12, 1.8, RED),
    dot(15, 12, 1.8, RED),
    line("M9 16h6", "#66757f", 1.6),
    line("M12 6V3", "#66757f", 1.6),
    dot(12, 2.5, 1.5, "#f4900c"),
    box(1.5, 10.5, 2, 5, "#66757f", 1),
    box(20.5, 10.5, 2, 5, "#66757f", 1),
  ],
  star: [path("m12 1.8 3.1 6.7 7.2.8-5.3 5 1.5 7.2L12 17.9l-6.5 3.6L7 14.3l-5.3-5 7.2-.8z", "#ffac33")],
  sparkles: [
    path(
      "M10 3c.8 5.5 2.5 7.2 8 8-5.5.8-7.2 2.5-8 8-.8-5.5-2.5-7.2-8-8 5.5-.8 7.2-2.5 8-8zM19 1.5c.3 2 1 2.7 3 3-2 .3-2.7 1-3 3-.3-2-1-2.7-3-3 2-.3 2.7-1 3-3zM19 16c.3 2.3 1 3 3 3.3-2 .3-2.7 1-3 3.2-.3-2.2-1-2.9-3-3.2 2-.3 2.7-1 3-3.3z",
      "#ffac33",
    ),
  ],
  zap: [path("M14 1.5 4 13.5h6.5L8.5 22.5 20 9.5h-7z", "#ffac33")],
  lock: [
    line("M7.5 11V7.5a4.5 4.5 0 0 1 9 0V11", GREY, 2.4),
    box(4, 10.5, 16, 11.5, "#ffac33", 2.5),
    dot(12, 15.3, 1.6, "#664500"),
    line("M12 16v2.5", "#664500", 1.6),
  ],
  moneybag: [
    path("M8 6 6.5 2.5h11L16 6c4 3.5 6 7 6 10.5 0 3.5-2.5 5.5-10 5.5S2 20 2 16.5C2 13 4 9.5 8 6z", "#fdd888"),
    line("M8 6.3h8", "#bf6952", 1.8),
    line(
      "M15 11.5c-1-1-2-1.3-3-1.3-3.5 0-3.5 3.3 0 3.5 3.5.3 3.5 3.8 0 3.8-1.2 0-2.3-.5-3-1.3M12 9v10",
      "#67757f",
      1.4,
    ),
  ],
  speech_balloon: [
    path(
      "M12 3c6 0 10.5 3.5 10.5 8S18 19 12 19c-.9 0-1.8-.1-2.6-.3L4.5 22l.6-4.8c-2.2-1.5-3.6-3.7-3.6-6.2C1.5 6.5 6 3 12 3z",
      "#bdddf4",
    ),
    dot(7.5, 11, 1.3, "#2a6797"),
    dot(12, 11, 1.3, "#2a6797"),
    dot(16.5, 11, 1.3, "#2a6797"),
  ],
  no_entry: [...disc(RED), box(5.5, 10, 13, 4, "#fff", 1)],
  red_circle: disc(RED),
  large_green_circle: disc("#78b159"),
  large_yellow_circle: disc("#fdcb58"),
  large_blue_circle: disc("#55acee"),
  black_circle: disc("#31373d"),
  white_circle: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "#e6e7e8", stroke: GREY }]],
  heavy_check_mark: [line("m4 13 5.5 6L20.5 4.5", "#66757f", 3.2)],
  information_source: [box(2, 2, 20, 20, BLUE, 4), dot(12, 7, 1.7, "#fff"), line("M12 11.5V18", "#fff", 2.8)],
  dart: [
    ...disc(RED),
    dot(12, 12, 7.5, "#fff"),
    dot(12, 12, 5, RED),
    dot(12, 12, 2.3, "#fff"),
    line("m12 12 8-8", "#55acee", 1.6),
  ],
  pushpin: [
    line("m9 15-6 6.5", "#66757f", 1.8),
    path("m13.5 2.5 8 8-2 .8-4 4 .2 3.5-2 2-11-10.5 2-2 3.8.3 3.8-4z", RED),
  ],
};

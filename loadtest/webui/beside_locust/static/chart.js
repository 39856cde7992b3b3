// Two charts on one time axis, with a mark for each step in which connections were dropped.
import { made } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000, HEIGHT = 130, LEFT = 44, BOTTOM = 18, TOP = 8;

/** Return the charts of the rows of timeline.csv. */
export function chart(rows) {
  if (!rows.length) return made("h3", {}, "Nothing has been measured yet");
  return [
    made("h3", {}, "Latency of messages in each quarter of a second, ms: slowest (blue), median (green); red: drops"),
    drawn(rows, [["latency_ms_max", "var(--lt-second)"], ["latency_ms_p50", "var(--lt-main)"]]),
    made("h3", {}, "Open connections; red: drops"),
    drawn(rows, [["open_sockets", "var(--lt-main)"]]),
    made("p", {}, made("a", { href: "./loadtest/csv/timeline.csv" }, "timeline.csv"), " has these figures; time in s from the start of the part that counts."),
  ];
}

function drawn(rows, lines) {
  const first = rows[0].t_s, last = rows[rows.length - 1].t_s + 0.25;
  const most = Math.max(1, ...rows.flatMap((row) => lines.map(([name]) => row[name] ?? 0)));
  const x = (t) => LEFT + (t - first) / (last - first) * (WIDTH - LEFT - 4);
  const y = (value) => HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  for (const row of rows) if (row.dropped) svg.append(shape("line", { x1: x(row.t_s), x2: x(row.t_s), y1: TOP, y2: HEIGHT - BOTTOM, stroke: "var(--lt-bad)", "stroke-width": 1, opacity: Math.min(1, 0.25 + row.dropped / 40), class: "lt-mark" }));
  for (const [name, colour] of lines) {
    const points = rows.filter((row) => row[name] !== null).map((row) => `${x(row.t_s).toFixed(1)},${y(row[name]).toFixed(1)}`);
    svg.append(shape("polyline", { points: points.join(" "), fill: "none", stroke: colour, "stroke-width": 2 }));
  }
  svg.append(label(4, TOP + 8, most.toLocaleString("en", { maximumFractionDigits: 1 })), label(4, HEIGHT - BOTTOM, "0"),
    label(LEFT, HEIGHT - 4, `${first} s`), label(WIDTH - 60, HEIGHT - 4, `${last} s`));
  return svg;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function label(x, y, text) {
  const element = shape("text", { x, y });
  element.textContent = text;
  return element;
}

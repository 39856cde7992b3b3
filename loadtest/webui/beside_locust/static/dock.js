// The bar at the foot of the page: how the test goes, the buttons, and what Locust's tables cannot show.
import { made, post } from "./elements.js";
import { chart } from "./chart.js";

const RUNNING = ["running", "spawning"];

export class Dock {
  /** `compares` says what the comparison is. */
  constructor(compares) {
    this.compares = compares;
    this.status = made("p", { role: "status" }, "");
    this.kind = made("select", { "aria-label": "Way to drop" });
    this.share = made("input", { type: "number", min: 1, max: 100, value: 20, "aria-label": "Percent of the members" });
    this.drop = button("Drop now", () => this.say(post("./loadtest/drop", { kind: this.kind.value, share: this.share.value / 100 })));
    this.stop = button("Stop and audit", () => { this.stop.disabled = true; this.say(post("./stop")); }, "lt-stop");
    this.compare = button("Run the comparison", () => {
      this.open("comparison");
      this.say(post(this.isComparing ? "./loadtest/stop-comparing" : "./loadtest/compare"));
    }, "lt-plain");
    this.compare.title = compares;
    this.drawers = Object.fromEntries(["result", "chart", "missed", "comparison"].map((name) => [name, made("div", { class: "lt-drawer", hidden: true })]));
    this.toggles = {
      result: button("Result", () => this.toggle("result"), "lt-plain"),
      chart: button("Chart with drops", () => this.toggle("chart"), "lt-plain"),
      missed: button("Missed drops", () => this.toggle("missed"), "lt-plain"),
    };
    this.dropping = made("label", {}, this.share, "% by", this.kind, this.drop);
    const bar = made("div", { class: "lt-bar" }, this.status, this.dropping, this.stop, ...Object.values(this.toggles), this.compare);
    this.element = made("section", { class: "lt-dock", "aria-label": "Audit" }, ...Object.values(this.drawers), bar);
    this.shown = {};
    if (location.hash === "#result") this.open("result");
  }

  /** Bring the bar up to date; `state` is what /loadtest/state tells. */
  show(state) {
    const isRunning = RUNNING.includes(state.locust);
    if (state.drops.join() !== (this.shown.drops || []).join()) this.kind.replaceChildren(...state.drops.map((one) => made("option", { value: one }, one)));
    this.dropping.hidden = this.stop.hidden = !isRunning;
    this.drop.disabled = !state.drops.length || !state.counts;
    this.drop.title = state.counts ? "" : "Drops count after the warm-up";
    this.stop.disabled = this.stop.disabled && isRunning;
    this.toggles.missed.textContent = `Missed drops (${state.missed_count})`;
    this.toggles.missed.hidden = this.toggles.chart.hidden = !state.chart.length;
    this.toggles.result.hidden = state.stage !== "audited";
    this.isComparing = Boolean(state.comparison && state.comparison.is_running);
    this.compare.textContent = this.isComparing ? "Stop the comparison" : "Run the comparison";
    this.compare.disabled = isRunning && !this.isComparing;
    if (!this.said) this.status.textContent = [state.stage === "idle" ? "" : `${state.stage}: `, state.says || (state.folder ? `results in ${state.run}` : "nothing has been run yet")].join("");
    this.refresh("chart", state.chart, () => chart(state.chart));
    this.refresh("missed", state.missed, () => missed(state.missed, state.missed_count));
    this.refresh("result", [state.stage, state.run, state.findings], () => result(state));
    this.refresh("comparison", state.comparison, () => comparison(state.comparison, this.compares));
    this.shown = state;
    document.body.style.paddingBottom = `${this.element.offsetHeight}px`;
  }

  unreachable() {
    this.status.textContent = "Locust does not answer any more";
  }

  async say(asked) {
    const answer = await asked;
    const text = answer.success ? answer.says : answer.message;
    if (!text) return;
    this.said = true;
    this.status.textContent = text;
    setTimeout(() => { this.said = false; }, 6000);
  }

  toggle(name) {
    if (this.drawers[name].hidden) this.open(name);
    else this.drawers[name].hidden = true;
  }

  open(name) {
    for (const [other, drawer] of Object.entries(this.drawers)) drawer.hidden = other !== name;
  }

  refresh(name, told, draw) {
    const text = JSON.stringify(told);
    if (this.drawers[name].dataset.told === text) return;
    this.drawers[name].dataset.told = text;
    this.drawers[name].replaceChildren(...[draw()].flat().filter(Boolean));
  }
}

function button(text, act, name = "") {
  return made("button", { type: "button", class: name, onclick: act }, text);
}

function link(href, text) {
  return made("a", { href, target: "_blank", rel: "noopener" }, text);
}

function table(headings, rows) {
  return made("table", {},
    made("thead", {}, made("tr", {}, ...headings.map((one) => made("th", {}, one)))),
    made("tbody", {}, ...rows.map((row) => made("tr", {}, ...row.map((cell) => made("td", {}, cell ?? ""))))));
}

function missed(rows, count) {
  const which = rows.length < count ? `the newest ${rows.length} of ${count.toLocaleString("en")}` : "the newest first";
  const heading = made("h3", {}, rows.length ? `Dropped connections whose disconnect() was never entered, ${which}` : "No disconnect was missed so far");
  if (!rows.length) return heading;
  return [heading, table(["Connection", "Dropped at, s", "By", "Why", "Ended by"], rows.map((row) =>
    [link(`./loadtest/story/${row.connection}`, String(row.connection)), String(row.t_s), row.kind, row.cause, row.ended_by]))];
}

function result(state) {
  return [
    made("h3", {}, state.verdict),
    made("ul", {}, ...state.findings.map((one) => made("li", {}, one))),
    made("p", {}, link(`./loadtest/report/${state.run}`, "Report"), ` · ${state.folder} · channels-loadtest report, show and compare read this folder`),
  ];
}

function comparison(told, compares) {
  if (!told) return [made("h3", {}, "The comparison"), made("p", {}, compares)];
  const ended = told.ended ? made("p", {}, `The comparison has ended (${told.ended}). `, told.run ? link(`./loadtest/report/${told.run}`, "Report of the comparison") : "") : "";
  return [made("h3", {}, told.is_running ? "The comparison runs" : "The comparison"), made("p", {}, told.command), made("pre", {}, told.says.join("\n")), ended];
}

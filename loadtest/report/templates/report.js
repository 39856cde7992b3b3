"use strict";
// Draws each chart at the width of its box, and again when the width or the choice changes; gives its data as CSV; shows
// the figures of a field of the resilience grid; sorts and folds tables; switches the theme.
(function () {
  const root = document.documentElement;

  // Colours are the page's variables, so that a chart follows the theme, and the paper, without being drawn again.
  function config() {
    const axis = {
      labelColor: "var(--text)", titleColor: "var(--soft)", gridColor: "var(--line)", domainColor: "var(--line)",
      tickColor: "var(--line)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 170,
    };
    return {
      background: null, font: getComputedStyle(document.body).fontFamily, axis, view: { stroke: null },
      rule: { color: "var(--text)" }, text: { color: "var(--text)" },
      locale: { number: { thousands: ",", grouping: [3], decimal: "." } },
    };
  }

  function sized(spec, width) {
    const autosize = { type: "fit-x", contains: "padding" };
    if (!spec.vconcat) return { ...spec, width, autosize };
    const room = 78; // axis labels, title and a margin left of each panel
    return { ...spec, vconcat: spec.vconcat.map((panel) => ({ ...panel, width: Math.max(120, width - room) })) };
  }

  const specOf = (figure) => JSON.parse(figure.querySelector(".spec").textContent);

  async function draw(figure) {
    const box = figure.querySelector(".chart");
    const width = Math.floor(box.clientWidth);
    if (figure.hidden || width === 0 || box.dataset.drawn === `${width}`) return;
    box.dataset.drawn = `${width}`;
    const { config: ignored, ...bare } = specOf(figure); // Altair's own colours: the page has its own
    try {
      await vegaEmbed(box, sized(bare, width), { actions: false, renderer: "svg", config: config() });
      box.querySelector("svg").setAttribute("aria-hidden", "true"); // the box has the words; Vega's have no names
    } catch (error) {
      box.innerHTML = "";
      box.append(Object.assign(document.createElement("p"), { className: "failed", textContent: "This chart could not be drawn: " + error.message }));
      throw error;
    }
  }

  const figures = [...document.querySelectorAll("figure")];
  const drawAll = () => figures.forEach((figure) => void draw(figure));

  document.querySelectorAll(".chooser").forEach((chooser) => {
    const own = [...chooser.closest("section").querySelectorAll("figure")];
    const show = () => {
      own.forEach((figure, place) => { figure.hidden = place !== chooser.selectedIndex; });
      drawAll();
    };
    chooser.addEventListener("change", show);
    show();
  });

  // The rows that a chart draws: the largest of its sets of rows that has the first of the columns.
  function rowsOf(spec, field) {
    const sets = [...Object.values(spec.datasets ?? {}), spec.data?.values ?? [], ...(spec.layer ?? []).map((one) => one.data?.values ?? [])];
    return sets.filter((rows) => rows.length && field in rows[0]).sort((one, other) => other.length - one.length)[0] ?? [];
  }

  function csvOf(figure) {
    const columns = JSON.parse(figure.querySelector(".csv").dataset.columns);
    const quoted = (value) => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    // As in the run's own CSV files: a ' before each text that a spreadsheet would take for a formula.
    const harmless = (value) => typeof value === "string" ? value.replace(/^'*[=+\-@\t\r]/, "'$&") : String(value ?? "");
    const line = (values) => values.map((value) => quoted(harmless(value))).join(",");
    const rows = rowsOf(specOf(figure), Object.keys(columns)[0]);
    return [line(Object.values(columns)), ...rows.map((row) => line(Object.keys(columns).map((field) => row[field])))].join("\n") + "\n";
  }

  document.querySelectorAll(".csv").forEach((button) => button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(button.closest("figure"))], { type: "text/csv" }));
    link.download = button.dataset.name.replace(/[^\w.-]+/g, "-").slice(0, 100) + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }));

  // A field of the grid says the rest of its figures in a bubble beside the pointer, or below a tap.
  const bubble = document.body.appendChild(Object.assign(document.createElement("div"), { className: "bubble", hidden: true }));
  function tell(field) {
    bubble.hidden = !field;
    if (!field) return;
    bubble.replaceChildren(...[...field.querySelector(".tip").children].map((line) => line.cloneNode(true)));
    const box = field.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - bubble.offsetWidth / 2), innerWidth - bubble.offsetWidth - 8);
    const above = box.top - bubble.offsetHeight - 6;
    bubble.style.left = `${left}px`;
    bubble.style.top = `${above > 8 ? above : box.bottom + 6}px`;
  }
  const fieldAt = (event) => event.target.closest?.("td.field") ?? null;
  document.addEventListener("pointerover", (event) => tell(fieldAt(event)));
  document.addEventListener("click", (event) => tell(fieldAt(event)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tell(null); });
  document.addEventListener("scroll", () => tell(null), { capture: true, passive: true });

  // Long tables show their first rows and a button for the others; a sorted one the first in its order.
  function fold(table) {
    const open = table.dataset.unfolded ? Infinity : Number(table.dataset.open ?? Infinity);
    [...table.tBodies[0].rows].forEach((row, place) => { row.hidden = place >= open; });
  }
  document.querySelectorAll("table.folds").forEach((table) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "more" });
    const told = () => { button.textContent = table.dataset.unfolded ? "Show fewer rows" : `Show all ${table.tBodies[0].rows.length} rows`; };
    button.addEventListener("click", () => {
      if (table.dataset.unfolded) delete table.dataset.unfolded; else table.dataset.unfolded = "yes";
      told();
      fold(table);
    });
    table.closest(".scroll").after(button);
    told();
    fold(table);
  });

  // Numbers are sorted as numbers: 5,707 (5,421-6,008), > 4,565, 15 %; what is none stands below.
  const numberIn = (text) => { const found = /-?[\d,]*\.?\d+/.exec(text); return found ? Number(found[0].replaceAll(",", "")) : -Infinity; };
  function sort(head) {
    const table = head.closest("table"), body = table.tBodies[0], place = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    [...head.parentElement.cells].forEach((cell) => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
    const text = (row) => row.cells[place].textContent;
    const order = head.classList.contains("number")
      ? (one, other) => numberIn(text(one)) - numberIn(text(other)) || 0
      : (one, other) => text(one).localeCompare(text(other), "en", { numeric: true });
    body.append(...[...body.rows].sort((one, other) => down * order(one, other)));
    fold(table);
  }
  document.querySelectorAll("table:not(.grid) > thead th").forEach((head) => {
    head.classList.add("sorts");
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head));
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(head);
    });
  });

  document.getElementById("theme")?.addEventListener("change", (event) => { root.dataset.theme = event.target.value; });

  let due = 0;
  window.addEventListener("resize", () => { clearTimeout(due); due = setTimeout(drawAll, 150); });
  drawAll();
})();

"use strict";
// Draws each chart at the width of its box, and again when the width, the colour scheme or the choice changes;
// shows the figures of a field of the resilience grid.
(function () {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function config() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const font = getComputedStyle(document.body).fontFamily;
    const axis = {
      labelColor: colour("--text"), titleColor: colour("--soft"), gridColor: colour("--line"),
      domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12,
      titleFontWeight: "normal", labelLimit: 130,
    };
    return {
      background: null, font, axis, view: { stroke: null },
      rule: { color: colour("--text") }, text: { color: colour("--text") }, locale: { number: { thousands: ",", grouping: [3], decimal: "." } },
    };
  }

  function sized(spec, width) {
    const autosize = { type: "fit-x", contains: "padding" };
    if (!spec.vconcat) return { ...spec, width, autosize };
    const room = 78; // axis labels, title and a margin left of each panel
    return { ...spec, vconcat: spec.vconcat.map((panel) => ({ ...panel, width: Math.max(120, width - room) })) };
  }

  async function draw(figure) {
    const box = figure.querySelector(".chart");
    const width = Math.floor(box.clientWidth);
    if (figure.hidden || width === 0) return;
    const scheme = dark.matches ? "dark" : "light";
    if (box.dataset.drawn === `${width} ${scheme}`) return;
    box.dataset.drawn = `${width} ${scheme}`;
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const { config: ignored, ...bare } = spec; // Altair's own colours: the page has its own
    try {
      await vegaEmbed(box, sized(bare, width), { actions: false, renderer: "svg", config: config(), tooltip: { theme: scheme } });
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

  let due = 0;
  window.addEventListener("resize", () => { clearTimeout(due); due = setTimeout(drawAll, 150); });
  dark.addEventListener("change", drawAll);
  drawAll();
})();

"use strict";
// Draws each chart at the width of its box, and again when the width, the colour scheme or the choice changes.
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
      rule: { color: colour("--text") }, locale: { number: { thousands: ",", grouping: [3], decimal: "." } },
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

  let due = 0;
  window.addEventListener("resize", () => { clearTimeout(due); due = setTimeout(drawAll, 150); });
  dark.addEventListener("change", drawAll);
  drawAll();
})();

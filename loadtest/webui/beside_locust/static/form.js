// The form: what a person wants to test, with everything filled in.
import { made, post } from "./elements.js";

const FILLED = { users: "user_count", rate: "rate", room_size: "room_size", duration: "duration" };

/** Return the form; `offer` is what /loadtest/offer tells. */
export function form(offer) {
  const scenarios = new Map(offer.scenarios.map((one) => [one.name, one]));
  const scenario = choice("scenario", "Scenario", offer.scenarios, offer.chosen.scenario || (scenarios.has("churn") ? "churn" : offer.scenarios[0].name));
  const [usual, others] = [true, false].map((wanted) => offer.drop_kind.filter((one) => one.default === wanted));
  const drops = made("fieldset", {}, made("legend", {}, "Ways to drop"), made("div", { class: "lt-kinds" }, ...usual.map(dropKind)),
    made("details", {}, made("summary", {}, `${others.length} more ways`), made("div", { class: "lt-kinds" }, ...others.map(dropKind))));
  const wrong = made("p", { class: "lt-wrong", role: "alert" });
  const start = made("button", { type: "submit" }, "Start");
  const element = made("form", { class: "lt-form" },
    made("h2", {}, "Start new load test"),
    scenario.label,
    made("div", { class: "lt-row lt-numbers" },
      number("user_count", "Number of users (peak concurrency)", 1),
      number("spawn_rate", "Ramp up (users started/second)", offer.chosen.spawn_rate),
      number("rate", "Load (messages/second of each user)", 1),
      number("room_size", "Members in each room", 1),
      number("duration", "Duration (seconds; 0: until you stop)", 30)),
    made("div", { class: "lt-row" },
      choice("consumer", "Consumer", offer.consumer, offer.chosen.consumer).label,
      choice("layer", "Channel layer", offer.layer, offer.chosen.layer).label,
      choice("server", "Server", offer.server, offer.chosen.server).label),
    drops,
    made("div", { class: "lt-row" },
      number("drop_share", "Share of the members dropped each second (0 to 1)", offer.chosen.drop_share),
      text("host", "Host (empty: the reference app, started for each test)", offer.host)),
    made("details", {}, made("summary", {}, "More"), made("div", {}, ...offer.more.map(more))),
    wrong, start);

  const fill = () => {
    const chosen = scenarios.get(scenario.input.value);
    for (const [field, name] of Object.entries(FILLED)) element.elements[name].value = chosen[field];
    drops.disabled = element.elements.drop_share.disabled = !chosen.drops;
  };
  scenario.input.addEventListener("change", fill);
  fill();

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    start.disabled = true;
    start.textContent = "Starting the server…";
    const answer = await post("./swarm", fields(element));
    if (answer.success) return location.assign("./?tab=drops");
    wrong.textContent = answer.message;
    start.disabled = false;
    start.textContent = "Start";
  });
  return element;
}

function fields(element) {
  const found = {};
  for (const input of element.elements) {
    if (!input.name || input.disabled) continue;
    if (input.name === "drop_kind") {
      if (input.checked && !input.matches("fieldset:disabled *")) found.drop_kind = [found.drop_kind, input.value].filter(Boolean).join(",");
    } else found[input.name] = input.type === "checkbox" ? String(input.checked) : input.value;
  }
  if (!("drop_kind" in found) && !element.elements.drop_share.disabled) found.drop_kind = "";
  return found;
}

let fieldsMade = 0;

/** A label beside its field, not around it: the texts of a list of choices are no part of its name. */
function labelled(label, input) {
  input.id = `lt-field-${++fieldsMade}`;
  return made("div", { class: "lt-field" }, made("label", { htmlFor: input.id }, label), input);
}

function number(name, label, value) {
  return labelled(label, made("input", { name, type: "number", step: "any", min: 0, required: true, value }));
}

function text(name, label, value) {
  return labelled(label, made("input", { name, type: "text", value: value ?? "" }));
}

function choice(name, label, choices, chosen) {
  const input = made("select", { name }, ...choices.map((one) => made("option", {
    value: one.name, selected: one.name === chosen, disabled: Boolean(one.unavailable),
  }, `${one.name}: ${one.unavailable || one.says}`)));
  return { input, label: labelled(label, input) };
}

function dropKind(one) {
  const box = made("input", { type: "checkbox", name: "drop_kind", value: one.name, checked: one.default, disabled: Boolean(one.unavailable) });
  return made("label", { class: "lt-check" }, box, made("span", {}, made("b", {}, one.name), " ", made("small", {}, one.unavailable || one.says)));
}

function more(one) {
  if (typeof one.value !== "boolean") return text(one.name, `${one.flag.slice(2)}: ${one.says}`, one.value);
  const box = made("input", { type: "checkbox", name: one.name, checked: one.value });
  return made("label", { class: "lt-check" }, box, made("span", {}, `${one.flag.slice(2)}: ${one.says}`));
}

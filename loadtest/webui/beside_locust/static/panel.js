// The form in the place of Locust's, and the bar at the foot of its page. Texts are set as text, never as markup.
import { form } from "./form.js";
import { Dock } from "./dock.js";

const POLL_MS = 1000;
const HEADING = "Start new load test";

const offer = await (await fetch("./loadtest/offer")).json();
const dock = new Dock(offer.compares);
document.body.append(dock.element);

/** Put our form in the place of Locust's wherever that is shown: on the page, or in the dialogue of "New". */
function replaceForm() {
  document.documentElement.dataset.theme = localStorage.theme || "";
  for (const heading of document.querySelectorAll("#root h2, [role=presentation] h2")) {
    const theirs = heading.parentElement;
    if (heading.textContent !== HEADING || theirs.dataset.loadtest || heading.closest(".lt-form")) continue;
    theirs.dataset.loadtest = "replaced";
    theirs.style.display = "none";
    const ours = form(offer);
    theirs.after(ours);
    const gone = new MutationObserver(() => {
      if (!theirs.isConnected) { ours.remove(); gone.disconnect(); }
    });
    gone.observe(document.body, { childList: true, subtree: true });
  }
}

new MutationObserver(replaceForm).observe(document.body, { childList: true, subtree: true });
replaceForm();

let stage = null;
async function poll() {
  const answer = await fetch("./loadtest/state").catch(() => null);
  if (answer && answer.ok) {
    const state = await answer.json();
    // Locust's page does not ask again once a test has stopped: load it anew, with the tables of the audit
    if (stage && stage !== state.stage && ["audited", "abandoned"].includes(state.stage)) {
      if (state.stage === "audited") location.hash = "result";
      return location.reload();
    }
    stage = state.stage;
    dock.show(state);
  } else dock.unreachable();
  setTimeout(poll, POLL_MS);
}
poll();

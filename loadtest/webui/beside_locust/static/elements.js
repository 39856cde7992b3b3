/** Make an element with properties and children; a text is a text, whatever is in it. */
export function made(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("aria-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Post fields to a route; return what it answers: {success, message}. */
export async function post(route, fields = {}) {
  try {
    const answer = await fetch(route, { method: "POST", body: new URLSearchParams(fields) });
    return answer.ok ? await answer.json() : { success: false, message: await answer.text() };
  } catch {
    return { success: false, message: "Locust does not answer any more" };
  }
}

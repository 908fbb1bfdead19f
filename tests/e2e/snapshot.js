// What the window shows, read by roles and accessible names; times of steps are left out, so that two looks are equal
// where nothing happened. The body of a function that answers an object.
const clean = (text) => (text || "").replace(/\s+/g, " ").trim();
const text = (element) => (element ? clean(element.textContent) : null);
const named = (root, name) => root.querySelector(`[aria-label="${name}"]`);
const fields = {};
for (const row of document.querySelectorAll('[role=group][aria-label^="field "]')) {
  const key = row.getAttribute("aria-label").slice("field ".length);
  const value = named(row, "value " + key);
  const meter = row.firstElementChild.querySelector("[role=meter]");
  fields[key] = {
    value: text(value),
    titles: value ? [...value.querySelectorAll("[title]")].map((element) => clean(element.title)) : [],
    skeleton: Boolean(value && value.querySelector(".gl-skeleton")),
    state: text(named(row, "state " + key)),
    confidence: meter ? meter.getAttribute("aria-valuetext") : null,
    source: row.querySelector(".gl-field__source")?.title ?? null,
  };
}
const steps = [...(named(document, "steps")?.children ?? [])].map((step) => [
  text(step.querySelector(".gl-step__name")),
  text(step.lastElementChild),
]);
const log = named(document, "event log");
const box = log?.getBoundingClientRect();
const seen = (row) => row.getBoundingClientRect().top < box.bottom && row.getBoundingClientRect().bottom > box.top;
return {
  events_seen: log ? [...log.querySelectorAll('[title^="offset "]')].filter(seen).length : 0,
  title: text(document.querySelector('[aria-label="card"] h1')),
  busy: named(document, "card")?.getAttribute("aria-busy") ?? null,
  fields,
  steps,
  failure: text(named(document, "analysis failed")),
  conclusions: text(named(document, "your conclusions")),
  assessment: text(named(document, "assessment")),
  connection: text(named(document, "connection")),
  notifications: text(named(document, "notifications")),
};

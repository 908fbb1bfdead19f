// Drops a file and measures, in milliseconds by the window's own clock, until the core has the drop, until the new card
// is drawn, and until its first field is. The body of a function of the path and a callback.
const [path, done] = arguments;
const card = () => document.querySelector('[aria-label="card"]');
const before = card();
const begun = performance.now();
const since = () => performance.now() - begun;
const times = {};
const look = () => {
  const now = card();
  if (now && now !== before) {
    times.card ??= since();
    if (now.querySelector('[aria-label="value title"]')?.textContent.trim()) {
      // One frame more: then the value has been drawn.
      requestAnimationFrame(() => {
        times.field = since();
        done(times);
      });
      return;
    }
  }
  requestAnimationFrame(look);
};
window.__TAURI_INTERNALS__
  .invoke("plugin:event|emit", { event: "test-drop", payload: [path] })
  .then(() => { times.accepted = since(); });
requestAnimationFrame(look);

// Says that the page is drawn, the way Ghostlight's own window does: after the second frame.
requestAnimationFrame(() => requestAnimationFrame(() => {
  window.__TAURI_INTERNALS__.invoke("plugin:event|emit", { event: "interactive", payload: null });
}));

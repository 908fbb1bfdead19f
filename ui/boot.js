// Starts the window: sets the look before the first paint and loads the program while the styles are still being read.
// It is a file because the content security policy forbids scripts inside the page.
"use strict";
const root = document.documentElement;
const asks = (query) => matchMedia(query);
const dark = asks("(prefers-color-scheme: dark)");
const still = asks("(prefers-reduced-motion: reduce)");
const contrast = asks("(prefers-contrast: more)");

function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function look() {
  const theme = kept("theme");
  const isDark = theme === "dark" || (theme !== "light" && dark.matches);
  root.classList.toggle("pf-v6-theme-dark", isDark);
  root.classList.toggle("pf-v6-theme-high-contrast", contrast.matches);
  root.classList.toggle("gl-still", kept("still") === "1" || still.matches);
}

function fault(error) {
  const screen = document.getElementById("fault");
  // What is said already came first: the rest follows from it.
  if (!screen.hidden) return;
  document.getElementById("fault-details").textContent = String(error);
  screen.hidden = false;
  document.getElementById("fault-reload").focus();
}

// The program cannot go on once an exception went through it: it left its work half done, and would stand still without
// a word. Others, such as a refused call that nobody waits for, harm nothing.
function thrown(error) {
  if (error instanceof Error && String(error.stack).includes("wasm")) fault(`${error}\n${error.stack}`);
}
window.addEventListener("error", (event) => thrown(event.error));
window.addEventListener("unhandledrejection", (event) => thrown(event.reason));

look();
for (const query of [dark, still, contrast]) query.addEventListener("change", look);
window.addEventListener("ghostlight-look", look);
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("fault-reload").addEventListener("click", () => location.reload());
});

// All at once: the program is compiled on its way while its glue and the styles are read. It starts when the page is there.
const module_or_path = WebAssembly.compileStreaming(fetch("ui_bg.wasm"));
const page = new Promise((there) => window.addEventListener("load", there));
Promise.all([import("./ui.js"), page]).then(([ui]) => ui.default({ module_or_path })).catch(fault);

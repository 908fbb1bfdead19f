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
  document.getElementById("fault-details").textContent = String(error);
  document.getElementById("fault").hidden = false;
  document.getElementById("fault-reload").focus();
}

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

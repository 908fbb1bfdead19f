// Starts the window: sets the look before the first paint, then loads the program.
// It is a file because the content security policy forbids scripts inside the page.
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
document.getElementById("fault-reload").addEventListener("click", () => location.reload());

// Both at once: the program is on its way while its glue is read.
const module_or_path = fetch(new URL("ui_bg.wasm", import.meta.url));
import("./ui.js").then((ui) => ui.default({ module_or_path })).catch(fault);

// Light, dark, or what the system says. Charts are drawn anew at the event "themechange" of the document.

const key = "lockstep.theme";
const order = ["system", "light", "dark"];

export function startTheme() {
  const button = document.getElementById("theme");
  button.addEventListener("click", nextTheme);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
  apply();
}

export function nextTheme() {
  const now = localStorage.getItem(key) ?? "system";
  localStorage.setItem(key, order[(order.indexOf(now) + 1) % order.length]);
  apply();
  announce();
}

function apply() {
  const theme = localStorage.getItem(key) ?? "system";
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = { system: "◐", light: "☀", dark: "☾" }[theme] ?? "◐";
  button.title = `Theme: ${theme}. Click for the next`;
  button.setAttribute("aria-label", button.title);
}

function announce() {
  document.dispatchEvent(new Event("themechange"));
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

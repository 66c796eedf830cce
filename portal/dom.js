// Elements are made here and nowhere else. Text becomes text nodes, so nothing that is shown can become markup.

// h("a.name", {href: "#/x", onclick: f}, "text", child): properties that begin with "on" are listeners.
export function h(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...shown(children));
  return element;
}

// A link that is made of data may lead to places of this page and to bytes in memory, nowhere else.
const safeTarget = /^(#|blob:|\/(?!\/))/;

function setProperty(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") Object.assign(element.style, value);
  else if ((name === "href" || name === "src") && !safeTarget.test(value)) throw new Error(`no safe target: ${value}`);
  else if (typeof value === "boolean" && name in element) element[name] = value;
  else element.setAttribute(name, value);
}

function shown(children) {
  return children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);
}

export function replace(element, ...children) {
  element.replaceChildren(...shown(children));
  return element;
}

export function button(label, onclick, properties = {}) {
  return h("button", { type: "button", onclick, ...properties }, label);
}

// A field that the shortcut "/" goes to.
export function searchField(placeholder, label, properties = {}) {
  return h("input", { type: "search", placeholder, "aria-label": label, "data-filter": "", ...properties });
}

export function section(title, ...children) {
  return h("section.card", {}, h("h2", {}, title), children);
}

export function empty(text, command) {
  return h("div.empty", {}, h("p", {}, text), command && h("code", {}, command));
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...shown(children));
  return element;
}

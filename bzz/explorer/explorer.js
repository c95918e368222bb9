// The pages of bzz.explorer, where JavaScript runs: rows that change live, editing in place and in a drawer, forms that
// send only what was changed, and a comparison before a stale save. Without it, the pages are read and sent as they are.
// What comes from the server is put on the page as text, or is a page of this very server, parsed and adopted.

import { follow } from "./bzz-live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const HTML = { Accept: "text/html" };
const FORM = "form.document-form";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((each) => each != null));
  return made;
}

function toast(text, bad = false) {
  const shown = element("div", { class: bad ? "toast bad" : "toast" }, text);
  $("#toasts").append(shown);
  setTimeout(() => shown.remove(), bad ? 9000 : 4500);
}

async function page(url) {
  const answer = await fetch(url, { headers: HTML });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error($(".problem .detail", found)?.textContent || answer.statusText);
  return found;
}

let quiet = 0; // until when a change that the feed tells is one's own

// Elements of another page, with ids of their own: there may be two forms of one model on a page.
function adopted(node, suffix) {
  const made = document.importNode(node, true);
  for (const name of ["id", "for", "aria-describedby", "aria-labelledby"])
    for (const each of $$(`[${name}]`, made)) each.setAttribute(name, `${each.getAttribute(name)}-${suffix}`);
  return made;
}

async function send(method, form, body, etag) {
  quiet = Date.now() + 3000;
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  if (form.dataset.token) headers["X-XSRFToken"] = form.dataset.token;
  if ("explain" in form.dataset) headers["Bzz-Explain"] = "1";
  const answer = await fetch(form.dataset.url, { method, headers, body });
  const text = await answer.text();
  let value = {};
  try { value = text ? JSON.parse(text) : {}; } catch { value = { title: answer.statusText }; }
  return { answer, value };
}

// -- fields: what each holds, as text to compare and as JSON to send

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

class Field {
  constructor(node) {
    Object.assign(this, { node, name: node.dataset.field, kind: node.dataset.kind, control: node.dataset.control });
    this.base = this.text;
  }
  get inputs() { return $$("input, select, textarea", this.node); }
  get texts() { return this.inputs.map((each) => each.value); }
  get text() {
    return this.control === "list" ? JSON.stringify(this.texts.filter(Boolean)) : this.texts.join(", ").replace(/^, $/, "");
  }
  get changed() { return this.text !== this.base; }
  get label() { return $(".label", this.node)?.firstChild.textContent || this.name; }
  get json() {
    const [first = "", second = ""] = this.texts;
    if (this.control === "list") return `[${this.texts.filter(Boolean).map((each) => this.encoded(each)).join()}]`;
    if (this.control === "json") return first.trim() ? JSON.stringify(JSON.parse(first)) && first : "null";
    if (this.control === "point") return first || second ? `{"type":"Point","coordinates":[${this.number(first)},${this.number(second)}]}` : "null";
    if (this.control === "select" && !first) return "null";
    return this.encoded(first);
  }
  encoded(text) {
    if (text === "") return this.kind === "string" ? '""' : "null";
    if (this.kind === "boolean") return text;
    return this.kind === "integer" || this.kind === "float" ? this.number(text) : JSON.stringify(text);
  }
  number(text) { return NUMBER.test(text) ? text : JSON.stringify(text); } // digits go as they are: none is lost
  set(other) {
    const into = $(".control", this.node);
    into.replaceWith(document.importNode($(".control", other.node), true));
    this.base = other.base;
  }
  say(messages) {
    this.node.classList.toggle("bad", messages.length > 0);
    this.inputs.forEach((each) => each.setAttribute("aria-invalid", messages.length > 0));
    $(".field-errors", this.node).replaceChildren(...messages.map((each) => element("p", {}, each)));
  }
}

const known = new WeakMap(); // a form, or a row that is edited, to its fields

function fieldsOf(root) {
  if (!known.has(root)) known.set(root, $$(".field:not([data-fixed])", root).map((each) => new Field(each)));
  return known.get(root);
}

const changed = (root) => fieldsOf(root).filter((each) => each.changed);

function body(fields) {
  const tree = {};
  for (const field of fields) {
    const names = field.name.split(".");
    const last = names.pop();
    let at = tree;
    for (const name of names) at = at[name] ??= {};
    at[last] = { json: field.json };
  }
  const text = (node) => "json" in node && typeof node.json === "string" ? node.json
    : `{${Object.entries(node).map(([name, each]) => `${JSON.stringify(name)}:${text(each)}`).join()}}`;
  return text(tree);
}

// -- saving

async function save(root, form) {
  const isNew = "new" in form.dataset;
  const fields = isNew ? fieldsOf(root).filter((each) => each.text && each.text !== "[]") : changed(root);
  fieldsOf(root).forEach((each) => each.say([]));
  note(form, "");
  if (!isNew && !fields.length) return toast("Nothing was changed."), null;
  let sent;
  try {
    sent = body(fields);
  } catch (error) {
    const field = fields.find((each) => each.control === "json");
    field.say([`This is no JSON: ${error.message}`]);
    return null;
  }
  const { answer, value } = await send(isNew ? "POST" : "PUT", form, sent, form.dataset.etag);
  if (answer.ok) {
    explain(answer, isNew ? "Created" : "Saved");
    return { answer, value };
  }
  if (answer.status === 412) await compare(root, form);
  else refuse(root, form, answer, value);
  return null;
}

function refuse(root, form, answer, problem) {
  const left = [];
  let first;
  for (const [name, messages] of Object.entries(problem.errors ?? {})) {
    const field = fieldsOf(root).find((each) => name === each.name || name.startsWith(`${each.name}.`));
    if (field) field.say(messages);
    else left.push(`${name}: ${messages.join(" ")}`);
    first ??= field;
  }
  note(form, [problem.detail || problem.title, ...left].join(" "), answer.status === 401 ? $(".who a")?.href : "");
  first?.inputs[0]?.focus();
}

function note(form, text, signIn = "", news = false) {
  const into = form.isConnected && $(".form-note", form);
  if (!into) return text && toast(text, !news);
  into.classList.toggle("news", news);
  into.replaceChildren(text, ...(signIn ? [" ", element("a", { href: signIn }, "Sign in")] : []));
}

function explain(answer, words) {
  const header = answer.headers.get("Bzz-Caused");
  if (!header) return toast(`${words}.`);
  const caused = JSON.parse(header);
  const panel = $("#caused");
  const count = (steps) => steps.reduce((sum, each) => sum + (each.what !== "event") + count(each.steps), 0);
  const called = count(caused.steps);
  toast(`${words}: ${called} ${called === 1 ? "function was" : "functions were"} called, ${caused.ms} ms in all.`);
  if (!panel) return;
  const list = (steps) => element("ul", {}, ...steps.map((each) => element("li", {},
    element("span", { class: "step" },
      element(each.what === "event" ? "strong" : "code", {}, each.name),
      each.on && element("span", { class: "muted" }, each.on),
      each.error && element("span", { class: "error" }, each.error),
      element("span", { class: "ms" }, `${each.ms ?? "…"} ms`)),
    each.steps.length ? list(each.steps) : null)));
  panel.hidden = false;
  $(".caused", panel).replaceChildren(caused.steps.length ? list(caused.steps) : "Nothing else.",
    element("p", { class: "muted" }, `${caused.ms} ms from the request to its answer`));
}

// The three-way comparison: what the form began with, what is stored now, and what was entered here.
async function compare(root, form) {
  const theirs = $(FORM, await page(form.dataset.url));
  const stored = new Map(fieldsOf(theirs).map((each) => [each.name, each]));
  const rows = [];
  for (const field of fieldsOf(root)) {
    const other = stored.get(field.name);
    if (!other || other.base === field.base) continue;
    if (!field.changed || field.text === other.base) field.set(other); // nobody disagrees
    else rows.push({ field, other });
  }
  form.dataset.etag = theirs.dataset.etag;
  if (!rows.length) return note(form, "Somebody else changed other fields meanwhile; they are here now. Save again.", "", true);
  const cells = ({ field, other }, place) => element("tr", {}, element("th", { scope: "row" }, field.label),
    element("td", { class: "was" }, field.base || "—"),
    ...[["theirs", other.base], ["mine", field.text]].map(([side, text]) => element("td", {}, element("label", {},
      element("input", { type: "radio", name: `side-${place}`, value: side, checked: side === "mine" }), text || "—"))));
  const dialog = element("dialog", { class: "compare", "aria-labelledby": "compare-title" },
    element("form", { method: "dialog" },
      element("h2", { id: "compare-title" }, "Somebody else changed this meanwhile"),
      element("p", { class: "muted" }, "Choose what shall be stored of each field that you both changed. Nothing is stored yet."),
      element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {},
        ...["Field", "You began with", "Stored now", "Yours"].map((each) => element("th", { scope: "col" }, each)))),
      element("tbody", {}, ...rows.map(cells)))),
      element("div", { class: "actions" },
        element("button", { class: "button primary", value: "take" }, "Take what is chosen"),
        element("button", { class: "button", value: "" }, "Back to the form"))));
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  if (dialog.returnValue === "take") {
    rows.forEach(({ field, other }, place) => {
      if ($(`[name=side-${place}]:checked`, dialog).value === "theirs") field.set(other);
      else field.base = other.base;
    });
    note(form, "This is what you chose; save it.", "", true);
  }
  dialog.remove();
}

async function reload(form) {
  const found = await page(form.dataset.url);
  const fresh = document.importNode($(FORM, found), true);
  $("main h1").textContent = $("h1", found).textContent;
  const before = new Map(fieldsOf(form).map((each) => [each.name, each.base]));
  form.replaceWith(fresh);
  for (const field of fieldsOf(fresh)) if (before.get(field.name) !== field.base) flash(field.node);
  return fresh;
}

function flash(node) {
  node.classList.remove("flash");
  void node.offsetWidth; // so that a second change flashes, too
  node.classList.add("flash");
}

const busy = async (button, work) => {
  button?.setAttribute("disabled", "");
  try { return await work(); } catch (error) { toast(error.message, true); } finally { button?.removeAttribute("disabled"); }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches(FORM)) {
    event.preventDefault();
    busy(event.submitter, async () => {
      const done = await save(form, form);
      if (!done) return;
      if ("new" in form.dataset && !form.closest("dialog")) { known.delete(form); location.href = done.answer.headers.get("Location") ?? form.dataset.url; }
      else if (form.closest("dialog")) form.closest("dialog").close("saved");
      else await reload(form);
    });
  } else if (form.classList.contains("delete")) {
    event.preventDefault();
    busy(event.submitter, async () => {
      const { answer, value } = await send("DELETE", form, undefined, $(FORM, form.closest("dialog") ?? document)?.dataset.etag);
      if (answer.ok) {
        if (form.closest("dialog")) form.closest("dialog").close("saved");
        else location.href = form.dataset.back;
      } else toast(value.detail || value.title, true);
    });
  }
});

document.addEventListener("reset", (event) => {
  if (event.target.matches(FORM)) setTimeout(() => mark(event.target));
});

function mark(form) {
  const count = fieldsOf(form).filter((each) => (each.node.classList.toggle("changed", each.changed), each.changed)).length;
  const state = $(".form-state", form);
  if (state) state.textContent = count ? `${count} ${count === 1 ? "field" : "fields"} changed` : "";
}

document.addEventListener("input", (event) => {
  const item = event.target.closest(".list .item");
  if (item && !item.nextElementSibling && event.target.value) {
    const empty = item.cloneNode(true);
    $("input", empty).value = "";
    $(".matches", empty)?.remove();
    item.after(empty);
  }
  const form = event.target.closest(FORM);
  if (form && !("new" in form.dataset)) mark(form);
  if (event.target.matches("[data-search]")) search(event.target);
});

addEventListener("beforeunload", (event) => {
  const form = $(`main ${FORM}:not([data-new])`);
  if (form && known.has(form) && changed(form).length) event.preventDefault();
});

// -- references with search

let waiting;

function search(input) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const { search: url, searchKey: key, searchDisplay: display } = input.dataset;
    if (!input.value.trim()) return matches(input, []);
    const query = new URLSearchParams({ [`${display}__icontains`]: input.value.trim(), per_page: 8, fields: [...new Set([key, display])].join() });
    const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } });
    if (answer.ok) matches(input, (await answer.json()).map((each) => [String(each[key] ?? each.id), String(each[display] ?? "")]));
  }, 160);
}

function matches(input, found) {
  const box = input.parentElement;
  $(".matches", box)?.remove();
  input.setAttribute("aria-expanded", found.length > 0);
  if (!found.length) return;
  const id = `${input.id || "match"}-list`;
  Object.entries({ role: "combobox", "aria-controls": id, "aria-autocomplete": "list" }).forEach(([name, value]) => input.setAttribute(name, value));
  const take = (key, name) => {
    input.value = key;
    box.querySelector("a.reference")?.replaceWith(element("span", { class: "hint" }, name));
    matches(input, []);
    input.dispatchEvent(new InputEvent("change", { bubbles: true }));
    const form = input.closest(FORM);
    if (form && !("new" in form.dataset)) mark(form);
  };
  box.style.position = "relative";
  box.append(element("ul", { class: "matches", role: "listbox", id, "aria-label": "Matches" },
    ...found.map(([key, name], place) => element("li", { role: "option", id: `${id}-${place}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(key, name); } }, element("span", {}, name), element("code", {}, key)))));
  input.onkeydown = (event) => {
    const options = $$(".matches li", box);
    if (!options.length) return;
    let at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") { event.stopPropagation(); event.preventDefault(); matches(input, []); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); take(...found[at]); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      options.forEach((each, place) => each.setAttribute("aria-selected", place === at));
      input.setAttribute("aria-activedescendant", options[at].id);
    }
  };
  input.onblur = () => setTimeout(() => matches(input, []), 150);
}

// -- the drawer

async function drawer(url, after) {
  const content = element("div", { class: "drawer-body" }, element("div", { class: "loading", role: "status", "aria-label": "Loading" }, ...[1, 2, 3, 4].map(() => element("span"))));
  const title = element("h2", { id: "drawer-title" }, "…");
  const dialog = element("dialog", { class: "drawer", "aria-labelledby": "drawer-title" },
    element("div", { class: "drawer-head" }, title, element("span", { class: "actions" }, element("a", { class: "button small", href: url }, "Open page"),
      element("button", { class: "button small", onclick: () => leave() }, "Close"))), content);
  const leave = () => { if (!dirty() || confirm("Leave without saving?")) dialog.close(); };
  const dirty = () => { const form = $(FORM, dialog); return form && changed(form).length > 0; };
  document.body.append(dialog);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) leave(); });
  dialog.addEventListener("close", () => { dialog.remove(); if (dialog.returnValue === "saved") after?.(); });
  dialog.showModal();
  try {
    const found = await page(url);
    title.textContent = $("h1", found).textContent;
    content.replaceChildren(...[...$(".document-main", found).children].map((each) => adopted(each, "drawer")));
    fieldsOf($(FORM, content));
    ($(".field:not([data-fixed]) :is(input, select, textarea)", content) ?? $("a, button", content))?.focus();
  } catch (error) {
    title.textContent = "This cannot be shown";
    content.replaceChildren(element("p", {}, error.message));
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !link.closest("dialog")) {
    event.preventDefault();
    drawer(link.href, () => location.reload());
  }
  for (const open of $$("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of $$("details.pop[open]")) { open.open = false; $("summary", open).focus(); }
  if (event.key === "/" && !event.target.closest("input, select, textarea, dialog") && $("#filter-field")) {
    event.preventDefault();
    $("#filter-field").closest("details").open = true;
    $("#filter-field").focus();
  }
});

// -- rows: editing in place, and live

const table = $("#rows");
const headings = table ? $$("thead th[data-name]", table) : [];
const words = (row) => [...row.cells].slice(0, headings.length).map((each) => each.textContent.trim()).join();

function buttons(row) {
  const into = $(".row-buttons", row);
  if (!into || into.childElementCount) return;
  const edit = headings.some((each) => "editable" in each.dataset);
  into.append(...(edit ? [element("button", { class: "button", type: "button", "aria-label": `Edit ${row.dataset.name} in the table`, onclick: () => editRow(row) }, "Edit")] : []),
    element("button", { class: "button", type: "button", "aria-label": `Open ${row.dataset.name} in a drawer`, onclick: () => drawer(row.dataset.href, () => $("#live") || refresh()) }, "Open"));
}

async function editRow(row, at) {
  if (known.has(row)) return;
  const form = adopted($(FORM, await page(row.dataset.href)), row.dataset.key);
  const cells = [...row.cells];
  const before = cells.map((each) => [...each.childNodes]);
  headings.forEach((heading, place) => {
    const field = "editable" in heading.dataset && $(`.field[data-field="${CSS.escape(heading.dataset.name)}"]:not([data-fixed])`, form);
    if (!field) return;
    $(".label", field).classList.add("hidden-text");
    field.classList.add("in-place");
    cells[place].replaceChildren(field);
  });
  fieldsOf(row);
  const close = () => { known.delete(row); cells.forEach((each, place) => each.replaceChildren(...before[place])); row.onkeydown = null; $("button", row)?.focus(); };
  const done = () => busy($(".primary", row), async () => {
    const saved = changed(row).length ? await save(row, form) : true;
    if (!saved) return;
    const names = changed(row).map((each) => each.name);
    close();
    if (saved !== true) show(row, saved.value, names);
  });
  cells.at(-1).replaceChildren(element("span", { class: "row-buttons" },
    element("button", { class: "button primary", type: "button", onclick: done }, "Save"), element("button", { class: "button", type: "button", onclick: close }, "Cancel")));
  row.onkeydown = (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Enter" && event.target.matches("input, select")) { event.preventDefault(); done(); }
    if (event.key === "Escape") close();
  };
  $("input, select, textarea", cells[at ?? headings.findIndex((each) => "editable" in each.dataset)])?.focus();
}

table?.addEventListener("dblclick", (event) => {
  const cell = event.target.closest("tbody td");
  if (cell && !event.target.closest("a, button, input, select") && cell.parentElement.dataset.href) editRow(cell.parentElement, cell.cellIndex);
});

const at = (row, name) => name.split(".").reduce((value, each) => Array.isArray(value) ? value.map((item) => item?.[each]) : value?.[each], row);

function text(value) { // as bzz/explorer/cells.py does
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) {
    if (value.some((each) => each && typeof each === "object")) return value.length === 1 ? "1 item" : `${value.length} items`;
    return short(value.slice(0, 4).map(text).join(", ") + (value.length > 4 ? ` +${value.length - 4}` : ""));
  }
  if (value && typeof value === "object") {
    const [x, y] = value.type === "Point" ? value.coordinates ?? [] : [];
    const degrees = (number, plus, minus) => `${Math.abs(Math.round(number * 1e4) / 1e4)}° ${number < 0 ? minus : plus}`;
    if (y != null) return `${degrees(y, "N", "S")} ${degrees(x, "E", "W")}`;
    const plain = Object.values(value).filter((each) => each !== "" && each !== null && typeof each !== "object");
    return short(plain.slice(0, 4).map(text).join(" · ")) || `${Object.keys(value).length} values`;
  }
  return value == null ? "" : short(String(value));
}

const short = (words) => words.length > 160 ? `${words.slice(0, 159)}…` : words;
const names = new Map(table ? $$("a.reference", table).map((each) => [each.getAttribute("href"), each.textContent]) : []);

function cell(heading, value, href) {
  const words = heading.dataset.kind === "datetime" ? String(value ?? "").replace("T", " ").replace(/Z$/, "") : text(value);
  if (href) return element("a", { class: "key", href }, words || "Open");
  if (!words) return element("span", { class: "unset" }, "—");
  const target = heading.dataset.target && typeof value !== "object" ? `${heading.dataset.target}${encodeURIComponent(value)}/` : "";
  return target ? element("a", { class: "reference", href: target }, names.get(target) ?? words) : element("span", {}, words);
}

function show(row, value, changes) {
  headings.forEach((heading, place) => {
    const name = heading.dataset.name;
    const into = row.cells[place];
    into.replaceChildren(cell(heading, at(value, name), place === 0 ? row.dataset.href : ""));
    if (changes?.some((each) => each === name || each.startsWith(`${name}.`) || name.startsWith(`${each}.`))) flash(into);
  });
}

function made(id, value) {
  const row = element("tr", { "data-key": id, "data-href": `${table.dataset.url}${encodeURIComponent(id)}/`, "data-name": id },
    ...headings.map((each) => element("td", { "data-label": each.textContent.trim(), class: each.className || null })), element("td", { class: "row-actions" }, element("span", { class: "row-buttons" })));
  show(row, value);
  buttons(row);
  return row;
}

async function refresh() {
  const fresh = await page(location.href);
  const rows = $("#rows tbody", fresh);
  if (!table || !rows) return location.reload();
  for (const row of [...rows.rows]) {
    const old = $(`tr[data-key="${CSS.escape(row.dataset.key)}"]`, table);
    if (old && known.has(old)) row.replaceWith(old);
    else if (old && words(old) !== words(row)) flash(row);
  }
  $("tbody", table).replaceChildren(...rows.rows);
  $$("tbody tr", table).forEach(buttons);
}

let more = 0;

function changeRow({ kind, id, row: value, diff }) {
  const row = $(`tr[data-key="${CSS.escape(id)}"]`, table);
  const point = $(`.map a[data-key="${CSS.escape(id)}"]`);
  if (kind === "deleted" || kind === "leave") {
    row?.classList.add("gone");
    point?.remove();
  } else if (row) {
    row.classList.remove("gone");
    if (!known.has(row)) show(row, value, Object.keys(diff ?? {}));
    else toast(`${row.dataset.name} was changed by somebody else while you edit it.`);
  } else if (kind !== "updated" && more < 20 && !/[?&](after|before|page)=/.test(location.search)) {
    more += 1;
    const added = made(id, value);
    $("tbody", table).prepend(added);
    flash(added);
  }
}

function changeDocument(told) {
  const form = $(`main ${FORM}`);
  if (told.kind === "deleted" || told.kind === "leave") return note(form, "This was deleted meanwhile.");
  if (Date.now() < quiet) return;
  if (changed(form).length) note(form, `Somebody else changed ${Object.keys(told.diff ?? {}).join(", ") || "this"} meanwhile. Before yours is stored you will see both.`, "", true);
  else reload(form).then((fresh) => note(fresh, "")).catch(() => {});
}

async function missed() {
  const form = $(`main ${FORM}`);
  if (table) await refresh();
  else if (form && !changed(form).length) await reload(form);
}

function live(badge) {
  const state = $("#live-state");
  const say = (words, off) => { state.textContent = words; badge.classList.toggle("off", off); };
  badge.hidden = false;
  let feed;
  let begun = false;
  const open = () => {
    feed = follow(badge.dataset.url + (badge.dataset.url.includes("?") ? "" : "?snapshot=false"), {
      ready() {
        say("live", false);
        if (begun || performance.now() > 1500) missed().catch(() => {}); // what changed before the feed began
        begun = true;
      },
      change(told) {
        if (table) changeRow(told);
        else if ($(`main ${FORM}`)) changeDocument(told);
        else location.reload();
      },
      reset(reason) { say(reason === "forbidden" ? "not allowed" : "reconnecting", true); },
    });
  };
  document.addEventListener("visibilitychange", () => { // a feed takes one of six connections
    feed?.close();
    if (document.hidden) say("paused", true);
    else open();
  });
  open();
}

// -- what the page gets besides

for (const snippet of $$(".snippet")) {
  $("h2", snippet).append(element("button", { class: "button small", type: "button", "aria-label": `Copy ${$("h2", snippet).textContent}`, onclick: async ({ target }) => {
    await navigator.clipboard.writeText($("code", snippet).textContent);
    target.textContent = "Copied";
    setTimeout(() => { target.textContent = "Copy"; }, 1500);
  } }, "Copy"));
}

const chosen = $("#filter-field");
if (chosen) {
  const all = $$("#filter-operator option").map((each) => each.cloneNode(true));
  const narrow = () => {
    const fitting = chosen.selectedOptions[0]?.dataset.operators.split(" ") ?? [];
    const now = $("#filter-operator").value;
    $("#filter-operator").replaceChildren(...all.filter((each) => fitting.includes(each.value)));
    if (fitting.includes(now)) $("#filter-operator").value = now;
  };
  chosen.addEventListener("change", narrow);
  narrow();
}

if (table) $$("tbody tr", table).forEach(buttons);
for (const row of $$("tbody tr", table ?? document.createElement("table"))) {
  const over = (on) => $(`.map a[data-key="${CSS.escape(row.dataset.key)}"]`)?.classList.toggle("on", on);
  row.addEventListener("pointerenter", () => over(true));
  row.addEventListener("pointerleave", () => over(false));
}
if (innerWidth < 1000) $(".menu")?.removeAttribute("open");
$$(`main ${FORM}`).forEach(fieldsOf);
if ($("#live")) live($("#live"));

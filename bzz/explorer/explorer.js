// The pages of bzz.explorer, where JavaScript runs: rows that change live, editing in place and in a drawer, forms that
// send only what was changed, and a comparison before a stale save. Without it, the pages are read and sent as they are.
// What comes from the server is put on the page as text, or is a page of this very server, parsed and adopted.

import { follow } from "./bzz-live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (name, listener) => document.addEventListener(name, listener);
const FORM = "form.document-form";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

// A dialog of one of the page's templates, not shown yet.
const dialogOf = (id) => document.body.appendChild($(id).content.firstElementChild.cloneNode(true));

function toast(text, bad = false) {
  const shown = element("div", { class: bad ? "toast bad" : "toast" }, text);
  $("#toasts").append(shown);
  setTimeout(() => shown.remove(), bad ? 9000 : 4500);
}

async function page(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error($(".problem .detail", found)?.textContent || answer.statusText);
  return found;
}

// Elements of another page, with ids of their own: there may be two forms of one model on a page.
function adopted(node, suffix) {
  const made = document.importNode(node, true);
  for (const name of ["id", "for", "aria-describedby", "aria-labelledby"])
    for (const each of $$(`[${name}]`, made)) each.setAttribute(name, `${each.getAttribute(name)}-${suffix}`);
  return made;
}

// -- fields: what each holds, and held when the form was made

class Field {
  constructor(node) {
    Object.assign(this, { node, name: node.dataset.field });
    this.base = this.text;
  }
  get inputs() { return $$("[name]", this.node); }
  get text() { return this.inputs.map((each) => each.value).filter(Boolean).join("\n"); }
  get changed() { return this.text !== this.base; }
  get label() { return $(".label", this.node)?.firstChild.textContent || this.name; }
  set(other) {
    $(".control", this.node).replaceWith(document.importNode($(".control", other.node), true));
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

// -- saving

let quiet = 0; // until when a change that the feed tells is one's own

const actionOf = (form) => form.getAttribute("action"); // an input may be called "action"
const urlOf = (form) => actionOf(form).split("?")[0];

// Sends what the browser itself would send of these fields.
async function send(form, fields) {
  quiet = Date.now() + 3000;
  const inputs = [...$$("[type=hidden]", form), ...fields.flatMap((each) => each.inputs)];
  const headers = { Accept: "application/json", ...("explain" in form.dataset && { "Bzz-Explain": "1" }) };
  const body = new URLSearchParams(inputs.map((each) => [each.name, each.value]));
  const answer = await fetch(actionOf(form), { method: "POST", headers, body });
  return { answer, value: await answer.json().catch(() => ({ title: answer.statusText })) };
}

async function save(root, form) {
  const isNew = "new" in form.dataset;
  const fields = isNew ? fieldsOf(root) : changed(root);
  fieldsOf(root).forEach((each) => each.say([]));
  note(form, "");
  if (!fields.length) return toast("Nothing was changed.");
  const { answer, value } = await send(form, fields);
  if (answer.ok) {
    explain(answer, isNew ? "Created" : "Saved");
    return answer;
  }
  if (answer.status === 412) await compare(root, form);
  else refuse(root, form, answer, value);
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
  note(form, [problem.detail || problem.title, ...left].join(" "), answer.status === 401 && $(".who a")?.href);
  first?.inputs[0]?.focus();
}

function note(form, text, signIn, news = false) {
  const into = form.isConnected && $(".form-note", form);
  if (!into) return text && toast(text, !news);
  into.classList.toggle("news", news);
  into.replaceChildren(text, ...(signIn ? [" ", element("a", { href: signIn }, "Sign in")] : []));
}

function explain(answer, words) {
  const header = answer.headers.get("Bzz-Caused");
  if (!header) return toast(`${words}.`);
  const { steps, called, ms } = JSON.parse(header);
  toast(`${words} in ${ms} ms; functions called: ${called}.`);
  const list = (steps) => steps.length && element("ul", {}, ...steps.map((each) => element("li", {},
    element("span", { class: "step" },
      element(each.what === "event" ? "strong" : "code", {}, each.name),
      each.on && element("span", { class: "muted" }, each.on),
      each.error && element("span", { class: "error" }, each.error),
      element("span", { class: "ms" }, `${each.ms ?? "…"} ms`)),
    list(each.steps))));
  const panel = $("#caused .caused");
  if (!panel) return;
  panel.parentElement.hidden = false;
  panel.replaceChildren(list(steps) || "Nothing else.",
    element("p", { class: "muted" }, `${ms} ms from the request to its answer`));
}

// The three-way comparison: what the form began with, what is stored now, and what was entered here.
async function compare(root, form) {
  const theirs = $(FORM, await page(urlOf(form)));
  const stored = new Map(fieldsOf(theirs).map((each) => [each.name, each]));
  const rows = [];
  for (const field of fieldsOf(root)) {
    const other = stored.get(field.name);
    if (!other || other.base === field.base) continue;
    if (!field.changed || field.text === other.base) field.set(other); // nobody disagrees
    else rows.push({ field, other });
  }
  form.setAttribute("action", actionOf(theirs)); // which names the state that is stored now
  if (!rows.length) return note(form, "Somebody else changed other fields meanwhile, which are here now. Save again.", "", true);
  const dialog = dialogOf("#compare");
  const choice = (place, side, text) => element("td", {}, element("label", {},
    element("input", { type: "radio", name: `side-${place}`, value: side, checked: side === "mine" }), text || "—"));
  $("tbody", dialog).append(...rows.map(({ field, other }, place) => element("tr", {},
    element("th", { scope: "row" }, field.label), element("td", { class: "was" }, field.base || "—"),
    choice(place, "theirs", other.base), choice(place, "mine", field.text))));
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done));
  dialog.remove();
  if (dialog.returnValue !== "take") return;
  rows.forEach(({ field, other }, place) => {
    if ($(`[name=side-${place}]:checked`, dialog).value === "theirs") field.set(other);
    else field.base = other.base;
  });
  note(form, "This is what you chose; save it.", "", true);
}

async function reload(form) {
  const found = await page(urlOf(form));
  const before = new Map(fieldsOf(form).map((each) => [each.name, each.base]));
  $("main h1").textContent = $("h1", found).textContent;
  $("main .document-main").replaceWith($(".document-main", found)); // the forms name the state that they began with
  const fresh = $(`main ${FORM}`);
  for (const field of fieldsOf(fresh)) if (before.get(field.name) !== field.base) flash(field.node);
  return fresh;
}

function flash(node) {
  node.classList.remove("flash");
  void node.offsetWidth; // so that it flashes again
  node.classList.add("flash");
}

async function busy(button, work) {
  button?.setAttribute("disabled", "");
  try { await work(); } catch (error) { toast(error.message, true); } finally { button?.removeAttribute("disabled"); }
}

on("submit", (event) => {
  const form = event.target;
  const deletes = form.classList.contains("delete");
  if (!deletes && !form.matches(FORM)) return;
  event.preventDefault();
  busy(event.submitter, async () => {
    const { answer, value } = deletes ? await send(form, []) : { answer: await save(form, form) };
    if (!answer) return;
    if (!answer.ok) return toast(value.detail || value.title, true);
    const dialog = form.closest("dialog");
    if (dialog) return dialog.close("saved");
    if (!deletes && !("new" in form.dataset)) return reload(form);
    location.href = form.dataset.back ?? answer.headers.get("Location") ?? urlOf(form);
  });
});

on("reset", ({ target }) => setTimeout(() => mark(target)));

function mark(form) {
  const state = form && $(".form-state", form);
  if (!state) return;
  fieldsOf(form).forEach((each) => each.node.classList.toggle("changed", each.changed));
  const { length } = changed(form);
  state.textContent = length ? `Fields changed: ${length}` : "";
}

on("input", ({ target }) => {
  const item = target.closest(".list .item");
  if (item && !item.nextElementSibling && target.value) {
    const empty = item.cloneNode(true);
    $("input, textarea", empty).value = "";
    item.after(empty);
  }
  mark(target.closest(FORM));
  if (target.matches("[data-search]")) search(target);
});

addEventListener("beforeunload", (event) => {
  const form = $(`main ${FORM}:not([data-new])`);
  if (form && changed(form).length) event.preventDefault();
});

// -- references with search

let waiting;

function search(input) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const { search: url, key, display } = input.dataset;
    const text = input.value.trim();
    const answer = text && await fetch(url + encodeURIComponent(text), { headers: { Accept: "application/json" } });
    matches(input, answer.ok ? (await answer.json()).map((each) => [each[key] ?? each.id, each[display] ?? ""]) : []);
  }, 160);
}

// A list below the input, to choose one with the mouse, or with the arrow keys and Enter.
function matches(input, found) {
  const box = input.parentElement;
  $(".matches", box)?.remove();
  const id = `${input.id}-list`;
  const tells = { role: "combobox", "aria-expanded": found.length > 0, "aria-controls": id };
  for (const name in tells) input.setAttribute(name, tells[name]);
  if (!found.length) return;
  const close = () => { input.focus(); matches(input, []); };
  let byKey = false;
  const list = element("select", {
    class: "matches", id, size: found.length + 1, "aria-label": "Matches",
    onpointerdown() { byKey = false; },
    onchange() {
      input.value = list.value;
      $("a.reference, .hint", box)?.remove();
      box.append(element("span", { class: "hint" }, list.selectedOptions[0].text));
      mark(input.closest(FORM));
      if (!byKey) close();
    },
    onkeydown(event) {
      byKey = !["Enter", "Escape"].includes(event.key);
      if (byKey) return;
      event.preventDefault();
      event.stopPropagation();
      close();
    },
  }, ...found.map(([key, name]) => element("option", { value: key }, `${name} · ${key}`)));
  input.after(list);
}

on("focusout", ({ relatedTarget }) => {
  const box = $(".matches")?.parentElement;
  if (box && !box.contains(relatedTarget)) matches($("input", box), []);
});

// -- the drawer

async function drawer(url) {
  const dialog = dialogOf("#drawer");
  const content = $(".drawer-body", dialog);
  const title = $("h2", dialog);
  const leave = (event) => {
    event.preventDefault();
    const form = $(FORM, dialog);
    if (!form || !changed(form).length || confirm("Leave without saving?")) dialog.close();
  };
  $("a", dialog).href = url;
  $("button", dialog).onclick = leave;
  dialog.oncancel = leave;
  dialog.onclick = (event) => { if (event.target === dialog) leave(event); };
  dialog.onclose = () => {
    dialog.remove();
    if (dialog.returnValue === "saved" && !(table && $("#live"))) refresh();
  };
  dialog.showModal();
  try {
    const found = await page(url);
    title.textContent = $("h1", found).textContent;
    content.replaceChildren(...adopted($(".document-main", found), "drawer").children);
    $$(FORM, content).forEach(fieldsOf);
    ($(".field:not([data-fixed]) [name]", content) ?? $("a, button", content))?.focus();
  } catch (error) {
    title.textContent = "This cannot be shown";
    content.replaceChildren(element("p", {}, error.message));
  }
}

on("click", (event) => {
  for (const open of $$("details.pop[open]")) open.open = open.contains(event.target);
  const button = event.target.closest("a[data-drawer], [data-edit], [data-copy]");
  if (!button) return;
  if ("edit" in button.dataset) return busy(button, () => editRow(button.closest("tr")));
  if ("copy" in button.dataset) return busy(button, () => copy($("code", button.closest(".snippet"))));
  if (event.ctrlKey || event.metaKey || event.shiftKey || button.closest("dialog")) return;
  event.preventDefault();
  drawer(button.href);
});

async function copy(code) {
  await navigator.clipboard.writeText(code.textContent);
  toast("Copied.");
}

const chosen = $("#filter-field");

on("keydown", (event) => {
  const { key, target } = event;
  if (key === "Escape") for (const open of $$("details.pop[open]")) { open.open = false; $("summary", open).focus(); }
  if (key === "ArrowDown" && target.matches("[data-search]")) $(".matches", target.parentElement)?.focus();
  if (key === "/" && chosen && !target.closest("input, select, textarea, dialog")) {
    event.preventDefault();
    chosen.closest("details").open = true;
    chosen.focus();
  }
});

// -- rows: editing in place, and live

const table = $("#rows");
const headings = table ? $$("thead th[data-name]", table) : [];
const rowOf = (key) => $(`tr[data-key="${CSS.escape(key)}"]`, table);

async function editRow(row, at = headings.findIndex((each) => "editable" in each.dataset)) {
  if (known.has(row)) return;
  const form = adopted($(FORM, await page(row.dataset.href)), row.dataset.key);
  const cells = [...row.cells];
  const before = cells.map((each) => [...each.childNodes]);
  headings.forEach(({ dataset }, place) => {
    const field = "editable" in dataset && $(`.field[data-field="${CSS.escape(dataset.name)}"]:not([data-fixed])`, form);
    if (!field) return;
    $(".label", field).classList.add("hidden-text");
    field.classList.add("in-place");
    cells[place].replaceChildren(field);
  });
  fieldsOf(row);
  const close = () => {
    known.delete(row);
    cells.forEach((each, place) => each.replaceChildren(...before[place]));
    row.onkeydown = null;
    $("button", row)?.focus();
  };
  const done = () => busy($(".primary", row), async () => {
    if (changed(row).length && !await save(row, form)) return;
    close();
    renew(row.dataset.key);
  });
  cells.at(-1).replaceChildren($("#saving").content.cloneNode(true));
  $(".primary", row).onclick = done;
  $(".primary + button", row).onclick = close;
  row.onkeydown = (event) => {
    if (event.key === "Enter" && event.target.matches("input, select")) { event.preventDefault(); done(); }
    if (event.key === "Escape") close();
  };
  $("[name]", cells[at])?.focus();
}

table?.addEventListener("dblclick", ({ target }) => {
  const cell = target.closest("tr[data-href] td");
  if (cell && !target.closest("a, button, input, select")) editRow(cell.parentElement, cell.cellIndex);
});

// Puts a row of a fresh page in the place of the one that is here; what differs flashes.
function placed(fresh) {
  const row = rowOf(fresh.dataset.key);
  if (!row || known.has(row)) return row ?? fresh;
  row.classList.remove("gone");
  headings.forEach((_, place) => {
    const [cell, other] = [row.cells[place], fresh.cells[place]];
    if (cell.innerHTML === other.innerHTML) return;
    cell.replaceChildren(...other.childNodes);
    flash(cell);
  });
  return row;
}

async function refresh() {
  due.clear();
  const rows = table && $("#rows tbody", await page(location.href));
  if (!rows) return location.reload();
  $("tbody", table).replaceChildren(...[...rows.rows].map(placed));
}

const due = new Set(); // rows that have changed, and are not asked for yet
let asked = Promise.resolve();
let more = 0;

// Shows a row as it is stored now. Those that change while the server answers share the next request.
function renew(key) {
  due.add(key);
  asked = asked.then(() => due.size && busy(null, table.dataset.rows ? renewDue : refresh));
}

async function renewDue() {
  const { rows, most, id } = table.dataset;
  const keys = [...due].slice(0, most);
  keys.forEach((each) => due.delete(each));
  const found = await page(rows + keys.map((each) => `&${id}=${encodeURIComponent(each)}`).join(""));
  for (const fresh of $$("#rows tbody tr", found)) {
    if (placed(fresh) !== fresh) continue;
    more += 1;
    $("tbody", table).prepend(fresh);
    flash(fresh);
  }
}

function changeRow({ kind, id }) {
  const row = rowOf(id);
  if (kind === "deleted" || kind === "leave") {
    row?.classList.add("gone");
    $(`.map a[data-key="${CSS.escape(id)}"]`)?.remove();
  } else if (row && known.has(row)) toast(`${row.dataset.name} was changed by somebody else while you edit it.`);
  else if (row || (kind !== "updated" && more < 20 && "first" in table.dataset)) renew(id);
}

function changeDocument({ kind, diff }) {
  const form = $(`main ${FORM}`);
  if (kind === "deleted" || kind === "leave") return note(form, "This was deleted meanwhile.");
  if (Date.now() < quiet) return;
  if (changed(form).length) note(form, `Somebody else changed ${Object.keys(diff ?? {}).join(", ") || "this"} meanwhile. Before yours is stored you will see both.`, "", true);
  else busy(null, () => reload(form));
}

function missed() {
  const form = $(`main ${FORM}`);
  if (table) return refresh();
  if (form && !changed(form).length) return reload(form);
}

function live(badge) {
  const say = (words, off) => { $("#live-state").textContent = words; badge.classList.toggle("off", off); };
  const { url } = badge.dataset;
  badge.hidden = false;
  let feed;
  let begun = false;
  const open = () => {
    feed = follow(url + (url.includes("?") ? "" : "?snapshot=false"), {
      ready() {
        say("live", false);
        if (begun || performance.now() > 1500) busy(null, missed); // what changed before the feed began
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
  on("visibilitychange", () => { // a feed takes one of six connections
    feed?.close();
    document.hidden ? say("paused", true) : open();
  });
  open();
}

// -- what the page gets besides

on("pointerover", ({ target }) => {
  const key = target.closest("#rows tr")?.dataset.key;
  for (const each of $$(".map a")) each.classList.toggle("on", each.dataset.key === key);
});

if (chosen) {
  const operator = $("#filter-operator");
  chosen.onchange = () => {
    const fitting = chosen.selectedOptions[0]?.dataset.operators.split(" ") ?? [];
    for (const each of operator.options) each.hidden = each.disabled = !fitting.includes(each.value);
    if (operator.selectedOptions[0]?.disabled) [operator.value] = fitting;
  };
  chosen.onchange();
}
if (innerWidth < 1000) $(".menu")?.removeAttribute("open");
$$(`main ${FORM}`).forEach(fieldsOf);
if ($("#live")) live($("#live"));

// The page of the demo: a map and a table that follow every committed change, reviews, and two ways to sign in.
import { follow } from "/bzz-live.js";

const $ = id => document.getElementById(id);
const element = (name, text) => Object.assign(document.createElement(name), {textContent: text ?? ""});
const reasons = problem => Object.entries(problem.errors || {}).map(([name, told]) => ` ${name}: ${told.join(" ")}`).join();

async function ask(method, path, body) {
  const headers = {Accept: "application/json", ...(body && {"Content-Type": "application/json"})};
  const answer = await fetch(path, {method, headers, body: body && JSON.stringify(body)});
  const value = await answer.json();
  if (!answer.ok) throw new Error((value.detail || value.title) + reasons(value));
  return value;
}

// What goes wrong stays on the page until the person does something else.
async function act(action, place = "problem") {
  $(place).textContent = "";
  try { await action(); } catch (error) { $(place).textContent = error.message; }
}

// The map: a dot for each airport, by longitude and latitude; the dots are the map.
const canvas = $("map"), pen = canvas.getContext("2d");
const dots = new Map();
const rings = [];
let drawing = false;

function fit() {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  draw();
}

function place({position}) {
  const [longitude, latitude] = position.coordinates;
  return [(longitude + 180) / 360 * canvas.width, (82 - latitude) / 142 * canvas.height];
}

function colour({elevation}) {
  const height = Math.max(0, Math.min(1, (elevation ?? 0) / 8000));
  return `hsl(${200 - 165 * Math.sqrt(height)} 80% ${58 + 14 * height}% / .75)`;
}

function dot(airport, size) {
  const [x, y] = place(airport);
  pen.fillStyle = colour(airport);
  pen.fillRect(x - size / 2, y - size / 2, size, size);
}

function draw() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const size = Math.max(1.2, canvas.width / 900);
  for (const airport of dots.values()) dot(airport, size);
  const now = performance.now();
  while (rings.length && now - rings[0].at > 2500) rings.shift();
  for (const {airport, at, reach} of rings) {
    const age = (now - at) / 2500, [x, y] = place(airport);
    pen.beginPath();
    pen.arc(x, y, size + age * reach * size, 0, 2 * Math.PI);
    pen.strokeStyle = `rgb(255 214 102 / ${1 - age})`;
    pen.lineWidth = 2 * size;
    pen.stroke();
  }
  drawing = rings.length > 0;
  if (drawing) requestAnimationFrame(draw);
}

function ring(airport, reach) {
  rings.push({airport, reach, at: performance.now()});
  if (rings.length > 200) rings.shift();
  if (!drawing) { drawing = true; requestAnimationFrame(draw); }
}

follow("/airport/?fields=name,city,elevation,position", {
  ready(rows) {
    dots.clear();
    for (const [id, airport] of rows) dots.set(id, airport);
    draw();
    count();
  },
  change({kind, id, row}) {
    const shown = row ?? dots.get(id);
    if (row) dots.set(id, row); else dots.delete(id);
    if (shown) ring(shown, kind === "created" ? 5 : 28);
    count();
  },
});

const count = () => { $("told").textContent = `${dots.size.toLocaleString("en")} airports, coloured by height`; };

canvas.onmousemove = ({offsetX, offsetY}) => {
  const scale = canvas.width / canvas.clientWidth, [x, y] = [offsetX * scale, offsetY * scale];
  let nearest, distance = 64 * scale;
  for (const [id, airport] of dots) {
    const [left, top] = place(airport), squared = (left - x) ** 2 + (top - y) ** 2;
    if (squared < distance) [nearest, distance] = [`${id} ${airport.name}, ${airport.city}`, squared];
  }
  $("hovered").textContent = nearest ?? "";
};
canvas.onmouseleave = () => { $("hovered").textContent = ""; };
new ResizeObserver(fit).observe(canvas);

// The table, and the diffs beside it.
let feed;

function row(airport) {
  const shown = element("tr");
  for (const name of ["icao", "name", "city", "elevation"]) {
    const cell = element("td", airport[name]);
    if (name === "city" || name === "elevation") editable(cell, airport, name);
    shown.append(cell);
  }
  return shown;
}

function editable(cell, airport, name) {
  const label = `${name} of ${airport.icao}`;
  const open = () => {
    const field = Object.assign(element("input"), {value: airport[name] ?? ""});
    field.setAttribute("aria-label", label);
    cell.replaceChildren(field);
    field.focus();
    field.select();
    let closed = false;
    const close = save => {
      if (closed) return;
      closed = true;
      cell.textContent = airport[name] ?? "";
      const value = name === "elevation" ? Number(field.value) : field.value;
      if (save && value !== airport[name]) act(() => ask("PUT", `/airport/${airport.icao}/`, {[name]: value}), "edited");
    };
    field.onkeydown = event => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
    };
    field.onblur = () => close(true);
  };
  cell.tabIndex = 0;
  cell.setAttribute("aria-label", `${airport[name] ?? "nothing"}, ${label}; press Enter to change it`);
  cell.ondblclick = open;
  cell.onkeydown = event => { if (event.key === "Enter") open(); };
}

function tell({kind, id, diff, row: after}) {
  const told = element("li");
  told.append(element("b", id), ` ${kind} `);
  for (const [name, pair] of kind === "updated" ? Object.entries(diff ?? {}) : []) {
    told.append(`${name}: `, element("del", pair.from), " → ", element("ins", pair.to), " ");
  }
  if (after && kind !== "updated") told.append(element("ins", after.name));
  $("diffs").prepend(told);
  while ($("diffs").children.length > 30) $("diffs").lastChild.remove();
}

function start() {
  feed?.close();
  $("diffs").replaceChildren();
  $("followed").textContent = "…";
  const shown = new Map();
  const say = () => { $("followed").textContent = `${shown.size} ${shown.size === 1 ? "airport" : "airports"}`; };
  const query = new URLSearchParams({country: $("country").value.toUpperCase(), elevation__gte: $("above").value, sort: "-elevation"});
  feed = follow(`/airport/?${query}`, {
    ready(rows) {
      shown.clear();
      for (const [id, airport] of rows) shown.set(id, row(airport));
      $("airports").replaceChildren(...shown.values());
      say();
    },
    change(told) {
      const before = shown.get(told.id);
      if (told.row) {
        const now = row(told.row);
        now.className = "changed";
        shown.set(told.id, now);
        if (before) before.replaceWith(now); else $("airports").prepend(now);
      } else {
        shown.delete(told.id);
        before?.remove();
      }
      say();
      tell(told);
    },
  });
}

$("choose").onsubmit = event => { event.preventDefault(); start(); };
start();

// Reviews, and what the processes tell each other.
async function show() {
  const [me, reviews] = await Promise.all([ask("GET", "/auth/me/"), ask("GET", "/review/?sort=-id&per_page=10")]);
  $("who").textContent = me.authenticated ? me.userData.name || me.userData.email || me.userData.id : "Nobody is signed in";
  $("sign-in").hidden = me.authenticated;
  $("sign-out").hidden = !me.authenticated;
  $("reviews").replaceChildren(...reviews.map(review => noted(review.text, `${review.by} on ${review.airport}`)));
}

function noted(text, by) {
  const item = element("li", text);
  item.append(element("small", by));
  return item;
}

async function showChanges() {
  $("changes").replaceChildren(...(await ask("GET", "/changes")).map(change =>
    noted(`${change.name} ${change.id} ${change.fields.join(", ")}`, `${new Date(change.at).toLocaleTimeString()}, ${change.process}`)));
}
setInterval(() => showChanges().catch(() => {}), 1000);

$("write").onsubmit = event => {
  event.preventDefault();
  act(async () => {
    await ask("POST", "/review/", {airport: $("airport").value.toUpperCase(), text: $("text").value});
    $("text").value = "";
    await show();
  });
};

// Signing in: by a password, or by the authorization code flow with PKCE (RFC 7636, OpenID Connect Core 1.0, section 3.1).
const {authorize, client} = $("page").dataset;
const redirect = location.origin + "/";
const base64url = bytes => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function leave() {
  const verifier = random(), state = random();
  sessionStorage.setItem("flow", JSON.stringify({verifier, state}));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  location = `${authorize}?` + new URLSearchParams({
    response_type: "code", client_id: client, redirect_uri: redirect, scope: "openid profile email", state,
    code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256",
  });
}

async function comeBack(query) {
  const flow = JSON.parse(sessionStorage.getItem("flow") || "{}");
  sessionStorage.removeItem("flow");
  history.replaceState(null, "", "/");
  if (!flow.state || query.get("state") !== flow.state) throw new Error("This sign-in did not begin here; try again.");
  if (query.has("error")) throw new Error("The sign-in was refused.");
  const sent = {code: query.get("code"), code_verifier: flow.verifier, redirect_uri: redirect};
  const {id_token} = await ask("POST", "/exchange", sent);
  await ask("POST", "/auth/signin/", {provider: "openid", access_token: id_token});
}

$("sign-in").onclick = () => $("door").showModal();
$("shut").onclick = () => $("door").close();
$("openid").onclick = () => act(leave, "refused");
$("password").onsubmit = event => {
  event.preventDefault();
  const sent = {email: $("email").value, password: $("secret").value};
  act(async () => {
    if (event.submitter.value === "signup") await ask("POST", "/auth/password/signup/", sent);
    else await ask("POST", "/auth/signin/", {provider: "password", ...sent});
    $("secret").value = "";
    $("door").close();
    await show();
  }, "refused");
};
$("sign-out").onclick = () => act(async () => { await ask("POST", "/auth/signout/"); await show(); });

act(async () => {
  const query = new URLSearchParams(location.search);
  try { if (query.has("state")) await comeBack(query); } finally { await show(); }
});

// Small comforts; every page reads and every form works without them.
const isTyping = (target) => Boolean(target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));
const follow = (address) => { window.location.assign(address); };

// A browser moves the focus some time after the page is there; what a scanner types meanwhile would be taken for shortcuts.
document.querySelector("[autofocus]")?.focus();

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.rg-menu[open]")) {
    if (menu !== except) {
      const hadFocus = menu.contains(document.activeElement);
      menu.removeAttribute("open");
      if (hadFocus && except === null) menu.querySelector("summary").focus();
    }
  }
};

// Dialogs: the command bar and the list of shortcuts.
const open = (name) => {
  const dialog = document.getElementById(name);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const box = dialog.querySelector("input");
  if (box) box.value = "";
  (dialog.querySelector("[hx-get]") ?? dialog).dispatchEvent(new Event("open"));
};
document.addEventListener("keydown", (event) => {
  const bar = event.target.closest("#commands, .rg-top .rg-search");
  if (!bar || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const links = [...bar.querySelectorAll(".rg-commands a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "Enter") {
    if (at === -1 && links[0] && bar.id === "commands") { event.preventDefault(); follow(links[0].href); }
    return;
  }
  event.preventDefault();
  const next = at + (event.key === "ArrowDown" ? 1 : -1);
  (links[next] ?? (next < 0 ? bar.querySelector("input") : links.at(-1)))?.focus();
});

// The search above every page shows who fits while one types; Enter leads to all that was found.
const search = document.querySelector(".rg-top .rg-search");
const showFound = (lines) => {
  search.querySelector(".rg-found")?.remove();
  if (!lines) return;
  const box = document.createElement("div");
  box.className = "rg-found";
  box.innerHTML = lines;
  search.append(box);
};
let asking = new AbortController();
search?.addEventListener("input", async ({ target }) => {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking, words = target.value.trim();
  if (!words) { showFound(""); return; }
  await new Promise((rested) => { setTimeout(rested, 150); });
  if (signal.aborted) return;
  try {
    const reply = await fetch(`${search.action}?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" }, signal });
    if (reply.ok && !reply.redirected) showFound(await reply.text());
  } catch { /* typed on, or out of reach, which Enter will tell */ }
});
search?.addEventListener("focusout", ({ relatedTarget }) => { if (!search.contains(relatedTarget)) { asking.abort(); showFound(""); } });

// Shortcuts: single keys, and two keys that begin with g.
const places = { h: "/", c: "/customers", t: "/till" };
let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    closeMenus(null);
    if (search?.contains(event.target)) { search.querySelector("input").focus(); showFound(""); }
    // A search box would keep the first press to itself, to be emptied.
    event.target.closest("dialog[open]")?.close();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open("commands"); return; }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const soon = Date.now() - going < 1500;
  going = 0;
  if (soon && places[event.key]) { event.preventDefault(); follow(places[event.key]); return; }
  if (event.key === "g") going = Date.now();
  if (event.key === "?") { event.preventDefault(); open("shortcuts"); }
  if (event.key === "+" || event.key === "n") { const add = document.querySelector("[data-shortcut='+']"); if (add) { event.preventDefault(); add.click(); } }
  if (event.key === "/") {
    const box = search?.querySelector("input");
    if (box) { event.preventDefault(); box.focus(); box.select(); }
  }
});

document.addEventListener("click", (event) => {
  const menu = event.target.closest("details.rg-menu");
  if (!menu) for (const other of document.querySelectorAll("details.rg-menu[open]")) other.removeAttribute("open");
  else closeMenus(menu);
  const hide = event.target.closest("[data-hide]");
  if (hide) document.querySelector(hide.dataset.hide).hidden = true;
  const chosen = event.target.closest("[data-select]");
  if (chosen) chosen.select();
  if (event.target.matches("dialog")) event.target.close();
});

// Lists: all rows at once, and how many are ticked.
document.addEventListener("change", (event) => {
  const list = event.target.closest("[data-bulk]");
  if (!list) return;
  const rows = [...list.querySelectorAll("tbody [name=id]")];
  if (event.target.matches("[data-all]")) for (const row of rows) row.checked = event.target.checked;
  const ticked = rows.filter((row) => row.checked).length;
  list.querySelector("[data-count]").textContent = ticked.toLocaleString(document.documentElement.lang);
  const all = list.querySelector("[data-all]");
  all.checked = ticked > 0 && ticked === rows.length;
  all.indeterminate = ticked > 0 && ticked < rows.length;
});

// A form is sent once, however often its button is pressed; and what was typed outlives a session that has ended.
const KEPT = "regulars-typed";
const fields = (form) => [...form.elements].filter((field) => field.name && field.name !== "csrf_token" && !["password", "file", "submit", "button"].includes(field.type));
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (!form.hasAttribute("hx-post")) form.dataset.sent = "1";
  if (!form.closest("main.rg-main")) return;
  const typed = fields(form).filter((field) => field.type !== "hidden").map((field) => [field.name, field.type, field.value, Boolean(field.checked)]);
  const kept = { user: document.body.dataset.user, page: window.location.pathname, action: form.getAttribute("action") ?? "", typed };
  try { sessionStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* a full store keeps nothing */ }
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
const giveBack = () => {
  if (document.querySelector("main.rg-door")) return;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const isBack = new URLSearchParams(window.location.search).has("again");
  // Tablets are shared: what one has typed is given back to nobody else.
  if (kept && isBack && kept.user === document.body.dataset.user && kept.page === window.location.pathname) {
    const form = [...document.querySelectorAll("main form[method=post]")].find((one) => (one.getAttribute("action") ?? "") === kept.action);
    for (const [name, type, value, checked] of form ? kept.typed : []) {
      const box = type === "checkbox" || type === "radio";
      const field = fields(form).find((one) => one.name === name && (!box || one.value === value));
      if (field && box) field.checked = checked;
      else if (field) field.value = value;
    }
  }
  sessionStorage.removeItem(KEPT);
};
giveBack();

const usual = document.querySelector("#toast > span")?.textContent;
const complain = (words) => {
  const toast = document.getElementById("toast");
  toast?.querySelector("span").replaceChildren(words);
  toast?.removeAttribute("hidden");
};
document.addEventListener("refused", (event) => complain(event.detail.reason));
document.addEventListener("htmx:sendError", () => complain(usual));
document.addEventListener("htmx:responseError", ({ detail }) => { if (!detail.xhr.getResponseHeader("HX-Trigger")) complain(usual); });

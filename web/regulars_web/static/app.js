// Small comforts; every page reads and every form works without them.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("[data-shortcut='/']");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (event.key === "Escape") closeMenus(null);
});

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.rg-menu[open]")) {
    if (menu !== except) {
      const hadFocus = menu.contains(document.activeElement);
      menu.removeAttribute("open");
      if (hadFocus && except === null) menu.querySelector("summary").focus();
    }
  }
};

document.addEventListener("click", (event) => {
  const open = event.target.closest("details.rg-menu");
  if (!open) for (const menu of document.querySelectorAll("details.rg-menu[open]")) menu.removeAttribute("open");
  else closeMenus(open);
  const hide = event.target.closest("[data-hide]");
  if (hide) document.querySelector(hide.dataset.hide).hidden = true;
});

const complain = () => { document.getElementById("toast")?.removeAttribute("hidden"); };
document.addEventListener("htmx:responseError", complain);
document.addEventListener("htmx:sendError", complain);

// What makes pages quicker to use. Nothing needs it.
"use strict";

// "/" goes to the search box, as long as nothing is typed elsewhere.
document.addEventListener("keydown", (event) => {
  const search = document.getElementById("q");
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// One button opens or closes the messages of all claims.
for (const button of document.querySelectorAll("button[data-open]")) {
  const claims = () => [...document.querySelectorAll("details.claim")];
  const label = () => {
    const open = claims().every((claim) => claim.open);
    button.textContent = open ? button.dataset.close : button.dataset.open;
    return open;
  };
  button.hidden = claims().length === 0;
  button.addEventListener("click", () => {
    const open = !label();
    for (const claim of claims()) claim.open = open;
    label();
  });
}

// A menu closes when something else is chosen, or by Escape.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// Sorting of tables, the choice of colours, and details that open when they are meant.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    head.querySelector("button")?.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const opposite = before === "ascending" ? "descending" : "ascending";
      const now = before === null ? first : opposite;
      const order = now === "ascending" ? 1 : -1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", now);
      const compare = (a, b) => {
        const [one, two] = [key(a, column), key(b, column)];
        if (one === "" || two === "") return (one === "") - (two === "");  // what is not there: last
        const numbers = head.classList.contains("number");
        return order * (numbers ? Number(one) - Number(two) : one.localeCompare(two));
      };
      body.append(...[...body.rows].sort(compare));
    });
  }
}

const map = document.querySelector(".map");
document.querySelector("#look")?.addEventListener("change", (event) => {
  document.querySelector("#look-title").textContent = event.target.selectedOptions[0].textContent;
  for (const option of event.target.options) map.classList.toggle(option.value, option.selected);
});

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

// In print everything is visible; on the screen then again what was.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});

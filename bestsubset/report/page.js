"use strict";
// Tables are sorted by their heads; "#sort=gap" and "#sort=-gap" sort the first table by the column of that name.
function cellValue(row, index) {
  const cell = row.cells[index];
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") {
    return Number.isNaN(a) || Number.isNaN(b) ? Number.isNaN(a) - Number.isNaN(b) : a - b;
  }
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sortBy(head, descending) {
  const table = head.closest("table");
  const rows = Array.from(table.tBodies[0].rows);
  const sign = descending ? -1 : 1;
  const isMissing = (value) => typeof value === "number" && Number.isNaN(value);
  rows.sort((one, other) => {
    const a = cellValue(one, head.cellIndex), b = cellValue(other, head.cellIndex);
    return isMissing(a) || isMissing(b) ? compare(a, b) : sign * compare(a, b); // what is missing comes last
  });
  table.tBodies[0].append(...rows);
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

function sortByHash() {
  const match = /^#sort=(-?)(.+)$/.exec(decodeURIComponent(location.hash));
  if (!match) return;
  const heads = Array.from(document.querySelectorAll("table.sortable")[0].tHead.rows[0].cells);
  const head = heads.find((cell) => cell.textContent === match[2]);
  if (head) sortBy(head, match[1] === "-");
}

function openByHash() {
  let target = null;
  try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
  if (target instanceof HTMLDetailsElement) target.open = true;
}

for (const head of document.querySelectorAll("table.sortable th")) {
  head.querySelector("button").addEventListener("click", () => {
    sortBy(head, head.getAttribute("aria-sort") === "ascending");
  });
}
for (const look of [sortByHash, openByHash]) {
  window.addEventListener("hashchange", look);
  look();
}

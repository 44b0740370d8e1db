"use strict";
// The page is whole without this: it adds a search and an order to the table of certificates.
(() => {
  const table = document.getElementById("all");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const search = document.querySelector(".search");
  const field = search.querySelector("input");
  const shown = document.getElementById("shown");
  const order = new Intl.Collator("en", { numeric: true });
  const count = new Intl.NumberFormat("en");
  const worst = ["expired", "missing", "broken", "failing", "overdue", "due", "unused", "valid"];
  let found = null;

  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  // What a row is found by, gathered when it is first needed.
  const haystacks = () =>
    (found ??= rows.map((row) => `${row.textContent} ${row.dataset.find}`.toLowerCase()));

  function filter() {
    const wanted = words(field.value);
    let matches = 0;
    haystacks().forEach((text, index) => {
      const match = wanted.every((word) => text.includes(word));
      rows[index].hidden = !match;
      matches += match;
    });
    const all = `${count.format(rows.length)} ${rows.length === 1 ? "certificate" : "certificates"}`;
    shown.textContent = wanted.length ? `${count.format(matches)} of ${all}` : all;
  }

  function sort(heading, column) {
    const descending = heading.ariaSort === "ascending";
    const key = (row) => {
      const text = row.cells[column].firstChild?.textContent ?? "";
      return column === 0 ? String(worst.indexOf(text)) : text;
    };
    const sorted = rows.map((row) => [key(row), row]);
    sorted.sort((a, b) => order.compare(a[0], b[0]) * (descending ? -1 : 1));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.ariaSort = descending ? "descending" : "ascending";
    body.append(...sorted.map((pair) => pair[1]));
  }

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading, column));
    heading.replaceChildren(button);
  });
  search.hidden = false;
  field.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
  });
})();

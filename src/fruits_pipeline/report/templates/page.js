(() => {
  "use strict";
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const text = (row, column) => row.cells[column].textContent.trim();
  const figure = (row, column) => {
    const value = row.cells[column].dataset.v;
    return value === undefined || value === "" ? null : Number(value);
  };
  const compare = (kind, column, sign) => (one, other) => {
    if (kind === "text") return sign * words.compare(text(one, column), text(other, column));
    const [a, b] = [figure(one, column), figure(other, column)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (a - b);
  };
  const sort = (button) => {
    const heading = button.closest("th");
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = heading.closest("table").tBodies[0];
    const order = compare(button.dataset.sort, heading.cellIndex, down ? -1 : 1);
    body.append(...[...body.rows].sort(order));
  };
  const filter = (box) => {
    const rows = [...document.getElementById(box.dataset.filter).tBodies[0].rows];
    const wanted = box.value.trim().toLocaleLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    const left = rows.filter((row) => !row.hidden).length;
    box.closest(".filter").querySelector("output").textContent = wanted ? `${left} of ${rows.length} rows` : "";
  };
  for (const button of document.querySelectorAll("[data-sort]")) button.addEventListener("click", () => sort(button));
  for (const box of document.querySelectorAll("[data-filter]")) {
    box.closest(".filter").hidden = false;
    box.addEventListener("input", () => filter(box));
  }
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();

// Puts it together: what is said in which language, and what keys and buttons do.

let theme = "auto";

function say() {
  const w = words();
  document.documentElement.lang = language;
  document.title = w.title;
  for (const named of document.querySelectorAll("[data-t]")) named.textContent = w[named.dataset.t];
  byId("language").textContent = w.language;
  byId("language").lang = language === "ko" ? "en" : "ko";
  byId("theme").textContent = w.theme[theme];
  byId("previous").textContent = `↑ ${w.previous}`;
  byId("next").textContent = `↓ ${w.next}`;
  byId("help-body").replaceChildren(...w.keyList.flatMap(([key, meaning]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, meaning)]));
  byId("list").setAttribute("aria-label", w.list);
  showSummary();
  showFilters();
  showList();
  namePages();
}

function openLinked() {
  const change = numbered.get(decodeURIComponent(location.hash.slice(1)));
  if (change) select(change);
  return Boolean(change);
}

const toggleHelp = () => (byId("help").open ? byId("help").close() : byId("help").showModal());
function toggleSync() { byId("sync").checked = !byId("sync").checked; resume(); }
function openFilters() { byId("filters").open = true; byId("filters").querySelector("input")?.focus(); }

// By the key and not by its letter: with a Korean keyboard n types ㅜ.
const KEYS = { KeyN: () => step(1), KeyP: () => step(-1), KeyS: toggleSync, KeyF: openFilters };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const act = event.key === "?" ? toggleHelp : event.shiftKey || byId("help").open ? null : KEYS[event.code];
  if (!act) return;
  event.preventDefault();
  act();
});

byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("sync").addEventListener("change", resume);
byId("help-open").addEventListener("click", toggleHelp);
byId("print").addEventListener("click", () => window.print());
byId("language").addEventListener("click", () => { language = language === "ko" ? "en" : "ko"; say(); drawMarks(); });
byId("theme").addEventListener("click", () => {
  theme = { auto: "light", light: "dark", dark: "auto" }[theme];
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = words().theme[theme];
});
byId("save-csv").addEventListener("click", () => save(asCsv(), "text/csv;charset=utf-8", "csv"));
byId("save-json").addEventListener("click", () => save(asJson(), "application/json", "json"));
for (const side of SIDES) panes[side].addEventListener("scroll", () => follow(side), { passive: true });
window.addEventListener("hashchange", openLinked);
window.addEventListener("resize", findAnchors);
window.addEventListener("beforeprint", () => { byId("proof").open = true; });
byId("proof").open = !response.complete || response.changes.length === 0;

layPages();
say();
drawMarks();
findAnchors();
if (!openLinked() && listed.length > 0) select(listed[0], { isFirst: true });
drawAwaited();
document.addEventListener("DOMContentLoaded", drawAwaited);

// The list of changes, by article, and what the filter leaves of it.

const isFurniture = (change) => change.kind === "furniture";
const filter = { op: new Set(OPS), kind: new Set(KINDS.filter((kind) => kind !== "furniture" || response.changes.every(isFurniture))), derived: false, uncertain: true };
const numbered = new Map(response.changes.map((change) => [change.id, change]));
let listed = [];
let here = null;

const isShown = (change) =>
  filter.op.has(change.op) && filter.kind.has(change.kind) && (filter.derived || !change.derived) && (filter.uncertain || !change.uncertain);

// Where a change is drawn: what stands there, or the gap where it is missing.
function boxes(change, side) {
  const { regions, gap } = change[side];
  const found = regions.flatMap(({ page, bbox }) => bbox.map((box) => ({ page, box: edges(box), gap: false })));
  return found.length === 0 && gap ? [{ page: gap.page, box: edges(gap.bbox), gap: true }] : found;
}

const edges = (box) => (Array.isArray(box) ? box : [box.x0, box.y0, box.x1, box.y1]);

const pageOf = (side) => side.regions[0]?.page ?? side.gap?.page ?? 0;

// Signs that turn text around, or show as nothing, are shown by their names.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;
const PARTS = new RegExp(`(${HIDDEN.source})`, "u");
function visible(text) {
  return text.split(PARTS).filter(Boolean).map((part) =>
    HIDDEN.test(part) ? element("span", { class: "control" }, `U+${part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`) : part);
}

function marked(tag, side) {
  const signs = Array.from(side.text);
  const made = element(tag);
  const bdi = element("bdi");
  let at = 0;
  const whole = side.inner.length === 1 && side.inner[0].start === 0 && side.inner[0].end >= signs.length;
  for (const range of whole ? [] : side.inner) {
    const [start, end] = Array.isArray(range) ? range : [range.start, range.end];
    bdi.append(...visible(signs.slice(at, start).join("")), element("b", {}, ...visible(signs.slice(start, end).join(""))));
    at = end;
  }
  bdi.append(...visible(signs.slice(at).join("")));
  made.append(bdi);
  return made;
}

const around = (text) => (text ? element("bdi", { class: "around" }, ...visible(text)) : null);

function said(change) {
  const { left, right, op } = change;
  const line = element("p", { class: "said" });
  const parts = [];
  if (op === "format" || op === "move") parts.push(element("bdi", {}, ...visible(right.text || left.text)));
  else {
    if (left.text) parts.push(marked("del", left));
    if (left.text && right.text) parts.push(" ");
    if (right.text) parts.push(marked("ins", right));
    if (!left.text && !right.text) parts.push(words().imageChanged);
  }
  const frame = right.text || !left.text ? right : left;
  line.append(...[around(frame.before), " ", ...parts, " ", around(frame.after)].filter(Boolean));
  return line;
}

function looks(change) {
  const value = (one) => (typeof one === "boolean" ? (one ? words().yes : words().no) : String(one));
  return Object.entries(change.format ?? {}).filter(([, pair]) => pair?.length === 2).map(([name, [before, after]]) => {
    const unit = name === "size" ? ` ${words().points}` : "";
    return element("span", {}, `${words().formats[name] ?? name}: ${value(before)} → ${value(after)}${unit}`);
  });
}

function address(change) {
  const { left, right, cell } = change.address;
  const both = left && right && left !== right ? `${left} → ${right}` : right || left;
  return cell ? [both, words().cell(cell.table, cell.row, cell.column)].filter(Boolean).join(", ") : both;
}

function pagesOf(change) {
  const [left, right] = SIDES.map((side) => pageOf(change[side]));
  if (!left || !right || left === right) return left || right ? words().page(left || right) : "";
  return `${words().page(left)} → ${words().page(right)}`;
}

const reference = (name, id) => element("span", {}, `${name} `, element("a", { href: `#${id}` }, numbered.has(id) ? (address(numbered.get(id)) || `#${numbered.get(id).n}`) : id));

function item(change) {
  const w = words();
  const go = element("button", { type: "button", class: "go", onclick: () => select(change) },
    element("span", { class: "op" }, `${SIGNS[change.op]} ${w.ops[change.op]}`),
    element("span", { class: "where" }, ...visible(address(change))), element("span", { class: "page" }, pagesOf(change)));
  const facts = element("div", { class: "facts" },
    change.kind !== "text" ? element("span", {}, w.kinds[change.kind] ?? change.kind) : null,
    change.class && change.op === "modify" ? element("span", {}, w.classes[change.class] ?? change.class) : null,
    change.op === "move" ? element("span", {}, w.moved(pageOf(change.left), pageOf(change.right))) : null,
    ...looks(change),
    change.uncertain ? element("span", { class: "doubt", title: w.uncertainLong }, `${w.uncertain} ${Math.round(change.confidence * 100)}%`) : null,
    change.derived && change.cause ? reference(w.followsFrom, change.cause) : null,
    change.inside ? reference(w.insideMove, change.inside) : null,
    element("a", { class: "permalink", href: `#${change.id}`, "aria-label": `${w.permalink} ${change.n}` }, `#${change.n}`));
  return element("li", { class: `change ${change.op}${change === here ? " here" : ""}`, id: change.id, "aria-current": change === here && "true" }, go, said(change), facts);
}

// A paragraph's number belongs to its article: ②, 1., 가), (1).
const NUMBER = /^(?:[\u2460-\u2473\u3251-\u325f\u32b1-\u32bf]|\(?[0-9a-zA-Z가-힣]{1,3}[.)])$/u;
function article(change) {
  const path = [...change.address.path];
  while (path.length > 1 && NUMBER.test(path[path.length - 1])) path.pop();
  return path;
}

function showList() {
  const groups = [];
  listed = response.changes.filter(isShown);
  for (const change of listed) {
    const path = article(change);
    const key = JSON.stringify(path);
    if (groups.at(-1)?.key !== key) groups.push({ key, path, changes: [] });
    groups.at(-1).changes.push(change);
  }
  const shown = groups.map(({ path, changes }) => element("section", { class: "group" },
    element("h3", {}, path.length > 1 ? element("span", { class: "above" }, ...visible(`${path.slice(0, -1).join(" › ")} › `)) : null,
      ...visible(path.at(-1) ?? words().unnumbered)),
    element("ol", {}, ...changes.map(item))));
  if (shown.length === 0) shown.push(element("p", { class: "none" }, response.changes.length ? words().allHidden : words().noChanges));
  if (response.truncated) shown.push(element("p", { class: "none" }, words().truncated));
  byId("list").replaceChildren(...warnings(), ...shown);
  byId("filtered").textContent = words().shown(listed.length, response.changes.length);
  if (here && !listed.includes(here)) here = null;
  showPlace();
}

function showPlace() {
  byId("place").textContent = words().place(listed.indexOf(here) + 1, listed.length);
}

function choice(name, isOn, turn) {
  const input = element("input", { type: "checkbox", onchange: (event) => { turn(event.target.checked); showList(); drawMarks(); } });
  input.checked = isOn;
  return element("label", { class: "check" }, input, name);
}

function showFilters() {
  const w = words();
  const count = (test) => response.changes.filter(test).length;
  const set = (field, values, names) => values.filter((value) => count((change) => change[field] === value)).map((value) =>
    choice(`${names[value]} ${count((change) => change[field] === value)}`, filter[field].has(value), (on) => filter[field][on ? "add" : "delete"](value)));
  byId("filter-op").replaceChildren(...set("op", OPS, w.ops));
  byId("filter-kind").replaceChildren(...set("kind", KINDS, w.kinds));
  byId("filter-also").replaceChildren(...["derived", "uncertain"].map((field) =>
    choice(`${w[`${field}Long`]} ${count((change) => change[field])}`, filter[field], (on) => { filter[field] = on; })));
}

// A link to a change shows it, whatever the filter hid.
function reveal(change) {
  if (isShown(change)) return;
  filter.op.add(change.op);
  filter.kind.add(change.kind);
  filter.derived ||= change.derived;
  filter.uncertain ||= change.uncertain;
  showFilters();
  showList();
  drawMarks();
}

// Only the list is scrolled: on a narrow screen scrollIntoView would move the whole page.
function bringIntoView(entry) {
  const list = byId("list");
  const [line, frame] = [entry.getBoundingClientRect(), list.getBoundingClientRect()];
  const head = parseFloat(getComputedStyle(entry).scrollMarginTop);
  const above = line.top - frame.top - head;
  const below = line.bottom - frame.bottom;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += Math.min(below, above);
}

function select(change, { scrolls = true, isFirst = false } = {}) {
  reveal(change);
  const before = here && byId(here.id);
  before?.classList.remove("here");
  before?.removeAttribute("aria-current");
  here = change;
  const entry = byId(change.id);
  entry.classList.add("here");
  entry.setAttribute("aria-current", "true");
  if (!isFirst) bringIntoView(entry);
  showPlace();
  if (scrolls) showInPages(change);
  markHere();
  if (isFirst) return; // a fragment that comes while the file loads makes the browser scroll to it
  try { history.replaceState(null, "", `#${change.id}`); } catch { /* a sandboxed frame may not */ }
}

function step(by) {
  if (listed.length === 0) return;
  const at = listed.indexOf(here);
  const next = at < 0 ? (by > 0 ? 0 : listed.length - 1) : Math.min(listed.length - 1, Math.max(0, at + by));
  select(listed[next]);
}

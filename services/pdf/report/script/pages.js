// Both documents side by side. A page's picture is drawn when it comes into view, and let go when it is far away.

const SVG = "http://www.w3.org/2000/svg";
const panes = { left: byId("left"), right: byId("right") };
const sheets = { left: new Map(), right: new Map() };
const marks = { left: new Map(), right: new Map() };
const EYE = 0.3; // where in a pane a change is brought, from its top
let anchors = [];
let lag = 0; // how far the right pane stands from where the left one would have it
const expected = { left: null, right: null };

const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) (isIntersecting ? draw : drop)(target);
}, { rootMargin: "120% 0px" });

// The pictures come after this script in the file. One that is not there yet, or not whole, is looked for again.
const awaited = new Set();
const LOOK_MS = 50;
function drawAwaited() {
  for (const sheet of [...awaited]) draw(sheet);
  if (document.readyState === "loading") setTimeout(drawAwaited, LOOK_MS);
}

function draw(sheet) {
  awaited.delete(sheet);
  if (sheet.querySelector("img")) return;
  const block = byId(`picture-${sheet.dataset.side}-${sheet.dataset.page}`);
  const isWhole = block && (block.nextElementSibling || document.readyState !== "loading");
  if (!isWhole) {
    if (document.readyState === "loading") awaited.add(sheet);
    return;
  }
  const image = element("img", { alt: "", decoding: "async" });
  image.src = `data:image/webp;base64,${block.textContent}`;
  sheet.querySelector(".blank")?.remove();
  sheet.prepend(image);
}

function drop(sheet) {
  awaited.delete(sheet);
  sheet.querySelector("img")?.remove();
}

function layPages() {
  for (const side of SIDES) {
    const all = response[side].pages;
    const laid = pages[side].map(({ page, width, height, pictured }) => {
      const sheet = element("div", { class: "sheet", "data-side": side, "data-page": page },
        element("div", { class: "number" }, words().pageOf(page, all)));
      sheet.style.aspectRatio = `${width} / ${height}`;
      if (!pictured) sheet.append(element("p", { class: "blank" }, words().noPicture));
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("aria-hidden", "true"); // the list says the same
      sheet.append(svg);
      sheets[side].set(page, { sheet, svg, height });
      watch.observe(sheet);
      return sheet;
    });
    panes[side].replaceChildren(element("p", { class: "name" }), ...laid);
  }
}

function drawMarks() {
  for (const side of SIDES) {
    marks[side].clear();
    for (const { svg } of sheets[side].values()) svg.replaceChildren();
    for (const change of listed) {
      for (const { page, box: [x0, y0, x1, y1], gap } of boxes(change, side)) {
        const on = sheets[side].get(page);
        if (!on) continue;
        const mark = document.createElementNS(SVG, "rect");
        const wide = Math.max(x1 - x0, 2.4);
        for (const [name, value] of Object.entries({ x: (x0 + x1 - wide) / 2 - 0.6, y: y0 - 0.6, width: wide + 1.2, height: y1 - y0 + 1.2 })) mark.setAttribute(name, value);
        mark.setAttribute("class", `mark ${change.op}${gap ? " gap" : ""}${change.derived || change.uncertain ? " doubtful" : ""}`);
        mark.addEventListener("click", () => select(change, { scrolls: false }));
        on.svg.append(mark);
        if (!marks[side].has(change.id)) marks[side].set(change.id, []);
        marks[side].get(change.id).push(mark);
      }
    }
  }
  markHere();
}

function markHere() {
  for (const mark of document.querySelectorAll(".mark.here")) mark.classList.remove("here");
  for (const side of SIDES) for (const mark of (here && marks[side].get(here.id)) || []) mark.classList.add("here");
}

// How far down a pane a place on a page is, in pixels.
function depth(side, { page, box }) {
  const on = sheets[side].get(page);
  return on ? on.sheet.offsetTop + (box[1] / on.height) * on.sheet.offsetHeight : null;
}

// Places that belong together: where both documents have the change, in an order that both have.
function findAnchors() {
  const found = [];
  for (const change of response.changes) {
    if (change.op === "move" || change.kind === "furniture" || change.kind === "note" || change.inside) continue;
    const pair = SIDES.map((side) => { const [first] = boxes(change, side); return first ? depth(side, first) : null; });
    if (!pair.includes(null)) found.push(pair);
  }
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  anchors = [[0, 0], ...ascending(found), SIDES.map((side) => panes[side].scrollHeight)];
}

// The longest subsequence whose right places ascend (patience sorting; Fredman, 1975).
function ascending(pairs) {
  const tails = [];
  const before = new Array(pairs.length).fill(-1);
  pairs.forEach(([, right], index) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tails[middle]][1] <= right) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[index] = tails[low - 1];
    tails[low] = index;
  });
  const chosen = [];
  for (let index = tails.at(-1) ?? -1; index >= 0; index = before[index]) chosen.unshift(pairs[index]);
  return chosen;
}

// Where the other pane shows the same, by the anchors before and after.
function opposite(at, from) {
  const [a, b] = from === "left" ? [0, 1] : [1, 0];
  let low = 0;
  let high = anchors.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (anchors[middle][a] <= at) low = middle;
    else high = middle;
  }
  const span = anchors[high][a] - anchors[low][a];
  const share = span > 0 ? (at - anchors[low][a]) / span : 0;
  return anchors[low][b] + share * (anchors[high][b] - anchors[low][b]);
}

function scrollTo(side, top) {
  const pane = panes[side];
  pane.scrollTop = top;
  expected[side] = pane.scrollTop;
}

const eye = (side) => panes[side].scrollTop + EYE * panes[side].clientHeight;
const other = (side) => (side === "left" ? "right" : "left");

function follow(side) {
  const pane = panes[side];
  if (expected[side] !== null && Math.abs(pane.scrollTop - expected[side]) < 2) { expected[side] = null; return; }
  expected[side] = null;
  if (!byId("sync").checked || pane.clientHeight === 0 || panes[other(side)].clientHeight === 0) return;
  const shift = side === "left" ? lag : -lag;
  scrollTo(other(side), opposite(eye(side), side) + shift - EYE * panes[other(side)].clientHeight);
}

// Switched on again, the panes go on from where each of them stands.
function resume() {
  if (byId("sync").checked) lag = eye("right") - opposite(eye("left"), "left");
}

function showInPages(change) {
  lag = 0;
  const places = Object.fromEntries(SIDES.map((side) => { const [first] = boxes(change, side); return [side, first ? depth(side, first) : null]; }));
  for (const side of SIDES) {
    const at = places[side] ?? (places[other(side)] === null ? null : opposite(places[other(side)], other(side)));
    if (at !== null) scrollTo(side, at - EYE * panes[side].clientHeight);
  }
  if (change.op === "move") lag = eye("right") - opposite(eye("left"), "left");
  if (byId("sides").offsetParent) showSide(change.op === "delete" ? "left" : "right", change);
}

// On a narrow screen there is room for one document.
function showSide(side, change = null) {
  byId("sides").parentElement.nextElementSibling.dataset.shown = side;
  for (const button of byId("sides").children) button.setAttribute("aria-pressed", String(button.dataset.side === side));
  const [first] = change ? boxes(change, side) : [];
  if (first) scrollTo(side, depth(side, first) - EYE * panes[side].clientHeight);
}

function namePages() {
  for (const side of SIDES) {
    const { sha256, pages: all } = response[side];
    panes[side].setAttribute("aria-label", words()[side]);
    panes[side].firstElementChild.textContent = `${words()[side]} · ${sha256.slice(0, 12)}`;
    for (const [page, { sheet }] of sheets[side]) {
      sheet.querySelector(".number").textContent = words().pageOf(page, all);
      const blank = sheet.querySelector(".blank");
      if (blank) blank.textContent = words().noPicture;
    }
  }
  const shown = byId("sides").parentElement.nextElementSibling.dataset.shown || "right";
  byId("sides").setAttribute("aria-label", words().side);
  byId("sides").replaceChildren(...SIDES.map((side) => element("button", { type: "button", "data-side": side, onclick: () => showSide(side, here) }, words()[side])));
  showSide(shown);
}

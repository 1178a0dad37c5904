// What changed in a sentence, the counts, and the proof that there is nothing else.

const isSame = response.relation === "same_bytes" || response.relation === "same_content";

function showSummary() {
  const w = words();
  const { summary, complete, relation } = response;
  byId("verdict").textContent = verdict() + (complete || relation === "different" ? "" : w.maybeMore);
  byId("verdict").classList.toggle("doubt", !complete || relation === "different");
  const counts = OPS.filter((op) => summary.by_op?.[op]).map((op) => element("li", { class: op }, `${SIGNS[op]} ${w.ops[op]} ${summary.by_op[op]}`));
  for (const name of ["derived", "uncertain", "furniture", "warnings"]) if (summary[name]) counts.push(element("li", {}, `${w[name]} ${summary[name]}`));
  byId("counts").replaceChildren(...counts);
  byId("counts").hidden = counts.length === 0;
  showProof();
  byId("paper").textContent = [w.paper, `${w.engine}: ${response.engine}`, response.report_id].filter(Boolean).join(" · ");
}

function verdict() {
  const w = words();
  const { summary: { changes, derived, uncertain, furniture }, complete, relation } = response;
  if (relation !== "revision") return w.verdict[relation]?.() ?? response.message;
  if (changes === 0 && uncertain > 0) return w.doubtOnly(uncertain);
  if (changes === 0 && furniture > 0) return w.furnitureOnly;
  const ending = derived + uncertain + furniture > 0 ? w.nothingUnmarked : w.nothingElse;
  return w.verdict.revision(changes) + (complete && changes > 0 ? ending : "");
}

function showProof() {
  const w = words();
  const isDifferent = response.relation === "different";
  byId("proof").className = `proof ${response.complete && !isDifferent ? "good" : "doubt"}`;
  byId("proof-title").textContent = isDifferent && response.complete ? w.proofDifferent : response.complete ? w.proofGood : w.proofDoubt;
  const body = [];
  if (response.complete && !isDifferent && !isSame) body.push(element("p", { class: "wide" }, w.proven));
  for (const side of SIDES) {
    const { sha256, pages: all, pages_compared: compared, unreadable, ocr_pages: recognised } = response[side];
    const rows = [[w.sha, element("code", {}, sha256)], [w.compared, w.ofPages(compared, all)]];
    if (recognised.length) rows.push([w.recognised, ranges(recognised)]);
    if (unreadable.length) rows.push([w.unreadable, unreadable.map(({ page, reason }) => `${w.page(page)} (${reason})`).join(", ")]);
    body.push(element("div", {}, element("h2", {}, w[side]), facts(rows)));
  }
  body.push(facts([[w.similarity, `${(response.similarity * 100).toFixed(1)}%`], [w.engine, response.engine], ...(response.report_id ? [[w.report, element("code", {}, response.report_id)]] : [])]));
  byId("proof-body").replaceChildren(...body);
}

// What should have changed and did not stands before what did.
function warnings() {
  const w = words();
  const entry = ({ code, address: where, text, message, regions: [region] }) => {
    const why = (code === "stale_reference" && w.stale) || message;
    const place = region?.bbox.length ? { page: region.page, box: edges(region.bbox[0]) } : null;
    const go = place && element("button", { type: "button", onclick: () => scrollTo("right", depth("right", place) - EYE * panes.right.clientHeight) }, w.page(place.page));
    return element("li", { class: "warning" }, element("b", {}, ...visible(`${where} “${text}”`)), " ", element("bdi", {}, ...visible(why)), " ", go);
  };
  const title = element("h3", {}, `${w.warnings} ${response.warnings.length}`);
  return response.warnings.length ? [element("section", { class: "group" }, title, element("ol", {}, ...response.warnings.map(entry)))] : [];
}

const facts = (rows) => element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));

// 1, 2, 3, 7 → "1–3, 7"
function ranges(numbers) {
  const runs = [];
  for (const number of numbers) {
    if (runs.at(-1)?.[1] === number - 1) runs.at(-1)[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => words().page(first === last ? first : `${first}–${last}`)).join(", ");
}

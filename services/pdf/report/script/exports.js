// What is listed, as files. They hold what the filter shows, and the texts as the documents have them.

const FACTS = ["n", "id", "op", "kind", "class", "derived", "cause", "uncertain", "confidence", "inside"];
const COLUMNS = [...FACTS, "left address", "left", "left page", "right address", "right", "right page", "path"];

// No spreadsheet may take a document's text for a formula (OWASP, "CSV Injection").
const harmless = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value));
const cell = (value) => { const text = harmless(value); return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; };

function asCsv() {
  const rows = listed.map((change) => [...FACTS.map((name) => change[name]),
    ...SIDES.flatMap((side) => [change.address[side], change[side].text, pageOf(change[side]) || ""]), change.address.path.join(" > ")]);
  return `\ufeff${[COLUMNS, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

function asJson() {
  const { op, kind, derived, uncertain } = filter;
  return JSON.stringify({ ...response, filter: { op: [...op], kind: [...kind], derived, uncertain }, changes: listed }, null, 1);
}

function save(content, type, extension) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: url, download: `${response.report_id || "comparison"}.${extension}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

"use strict";

// What the report says, in both languages. A function takes numbers, because the languages count differently.

const WORDS = {
  en: {
    title: "Comparison of two documents", changes: "Changes", list: "List of changes", pages: "Pages", filters: "Filter and save",
    op: "What happened", kind: "Where", also: "Show too", save: "Save what is listed as", sync: "Scroll together",
    print: "Print", help: "Keys", keys: "By keyboard", close: "Close", language: "한국어",
    theme: { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" },
    previous: "Previous", next: "Next", left: "Earlier document", right: "Later document", side: "Which document to show",
    ops: { insert: "Inserted", delete: "Deleted", modify: "Changed", move: "Moved", format: "Format" },
    kinds: { text: "Text", title: "Headings", table: "Tables", image: "Images", note: "Footnotes", furniture: "Running heads and feet", contents: "Contents" },
    classes: { number: "number", wording: "wording", punctuation: "punctuation", spacing: "spacing", case: "case" },
    derived: "Derived", uncertain: "Uncertain", furniture: "Running heads and feet", warnings: "Warnings",
    derivedLong: "What merely follows from another change", uncertainLong: "What errors of text recognition can explain",
    place: (here, all) => `${here || "–"} of ${all}`,
    shown: (some, all) => `(${some} of ${all} shown)`,
    noChanges: "Nothing to list.", allHidden: "The filter hides every change.", unnumbered: "Outside of any article",
    page: (number) => `p. ${number}`, pageOf: (number, all) => `Page ${number} of ${all}`,
    proofGood: "Proof: every page was compared, and nothing else changed",
    proofDoubt: "Not everything could be compared: there may be more changes",
    proofDifferent: "About the two documents",
    proven: "With every marked word taken away, the rest of both documents is equal, word for word and in order.",
    sha: "SHA-256", compared: "Pages compared", ofPages: (some, all) => `${some} of ${all}`, recognised: "Recognised from pictures",
    unreadable: "Not read", similarity: "Words in common", engine: "Engine", report: "Report",
    truncated: "The list ends early: there are more changes than it holds. The counts above are of all.",
    followsFrom: "Follows from", insideMove: "Within the move", permalink: "Link", goTo: "Go to the change",
    moved: (from, to) => `Moved from p. ${from} to p. ${to}`,
    formats: { bold: "Bold", italic: "Italic", size: "Size", font: "Font" }, yes: "yes", no: "no", points: "pt",
    cell: (table, row, column) => `Table ${table}, row ${row}, column ${column}`, imageChanged: "Image",
    noPicture: "This page is not pictured here.",
    stale: "", // the message is English already
    paper: "The pages themselves, with the changes marked on them, are in the report on screen and in its PDF.",
    keyList: [["n", "Next change"], ["p", "Previous change"], ["s", "Scroll together, or each by itself"], ["f", "Filters"], ["?", "This list"]],
    verdict: {
      same_bytes: () => "The two files are the same, byte for byte.",
      same_content: () => "The content is the same. The document was only saved or set anew.",
      different: () => "These are different documents: fewer than one word in five is common to both, so no changes are listed.",
      revision: (count) => count === 0 ? "Nothing changed." : count === 1 ? "1 change." : `${count.toLocaleString("en")} changes.`,
    },
    furnitureOnly: "Only running heads or feet changed.",
    doubtOnly: (count) => `No change is certain; ${count} ${count === 1 ? "needs" : "need"} a look.`,
    nothingElse: " Nothing else changed.", nothingUnmarked: " Beyond what is marked, nothing changed.", maybeMore: " There may be more: some pages could not be compared.",
  },
  ko: {
    title: "문서 비교 보고서", changes: "변경 사항", list: "변경 목록", pages: "원문 대조", filters: "골라 보기 · 저장",
    op: "변경 유형", kind: "위치", also: "함께 표시", save: "목록 저장", sync: "함께 스크롤",
    print: "인쇄", help: "단축키", keys: "단축키", close: "닫기", language: "English",
    theme: { auto: "화면: 시스템 설정", light: "화면: 밝게", dark: "화면: 어둡게" },
    previous: "이전", next: "다음", left: "변경 전", right: "변경 후", side: "표시할 문서",
    ops: { insert: "추가", delete: "삭제", modify: "수정", move: "이동", format: "서식" },
    kinds: { text: "본문", title: "제목", table: "표", image: "그림", note: "각주", furniture: "머리글·바닥글", contents: "목차" },
    classes: { number: "숫자", wording: "문구", punctuation: "문장 부호", spacing: "띄어쓰기", case: "대소문자" },
    derived: "따라 바뀐 곳", uncertain: "확인 필요", furniture: "머리글·바닥글", warnings: "주의",
    derivedLong: "다른 변경에 따라 저절로 바뀐 번호·참조", uncertainLong: "글자 인식 오류일 수 있는 변경",
    place: (here, all) => `${here || "–"} / ${all}`,
    shown: (some, all) => `(${all}건 중 ${some}건 표시)`,
    noChanges: "표시할 변경 사항이 없습니다.", allHidden: "지금 고른 조건에 맞는 변경 사항이 없습니다.", unnumbered: "조문 밖",
    page: (number) => `${number}쪽`, pageOf: (number, all) => `${number} / ${all}쪽`,
    proofGood: "검증 완료: 모든 쪽을 비교했고, 표시한 곳 말고는 바뀐 데가 없습니다",
    proofDoubt: "일부를 비교하지 못해, 여기에 없는 변경이 더 있을 수 있습니다",
    proofDifferent: "두 문서 정보",
    proven: "표시한 어절을 모두 빼면 두 문서의 나머지 본문은 순서까지 그대로 일치합니다.",
    sha: "SHA-256", compared: "비교한 쪽", ofPages: (some, all) => `전체 ${all}쪽 중 ${some}쪽`, recognised: "글자 인식(OCR)",
    unreadable: "읽지 못한 쪽", similarity: "일치하는 어절", engine: "엔진", report: "보고서",
    truncated: "변경 사항이 많아 목록에는 앞부분만 실었습니다. 위의 건수는 전체 기준입니다.",
    followsFrom: "원인", insideMove: "이동한 부분 안에서", permalink: "링크", goTo: "변경 위치로 이동",
    moved: (from, to) => `${from}쪽에서 ${to}쪽으로 이동`,
    formats: { bold: "굵게", italic: "기울임", size: "크기", font: "글꼴" }, yes: "적용", no: "해제", points: "pt",
    cell: (table, row, column) => `표 ${table}, ${row}행 ${column}열`, imageChanged: "그림",
    noPicture: "이 쪽의 그림은 보고서에 싣지 않았습니다.",
    stale: "바뀐 조문 번호가 이 참조에는 반영되지 않았습니다.",
    paper: "변경 위치를 표시한 원문은 화면의 보고서와 PDF에서 볼 수 있습니다.",
    keyList: [["n", "다음 변경"], ["p", "이전 변경"], ["s", "함께 스크롤 켜기/끄기"], ["f", "골라 보기"], ["?", "단축키 보기"]],
    verdict: {
      same_bytes: () => "두 파일은 완전히 같습니다.",
      same_content: () => "내용은 같습니다. 다시 저장했거나 편집 모양만 바꾼 문서입니다.",
      different: () => "서로 다른 문서입니다. 일치하는 어절이 20%가 되지 않아 변경 목록을 만들지 않았습니다.",
      revision: (count) => count === 0 ? "바뀐 곳이 없습니다." : `${count.toLocaleString("ko")}곳이 바뀌었습니다.`,
    },
    furnitureOnly: "머리글·바닥글만 바뀌었습니다.",
    doubtOnly: (count) => `확실한 변경은 없지만, 확인할 곳이 ${count.toLocaleString("ko")}곳 있습니다.`,
    nothingElse: " 그 밖에는 바뀐 데가 없습니다.", nothingUnmarked: " 표시한 곳 말고는 바뀐 데가 없습니다.", maybeMore: " 비교하지 못한 쪽이 있어 더 있을 수 있습니다.",
  },
};

const SIDES = ["left", "right"];
const OPS = ["insert", "delete", "modify", "move", "format"];
const KINDS = ["text", "title", "table", "image", "note", "contents", "furniture"];
const SIGNS = { insert: "+", delete: "−", modify: "~", move: "→", format: "A" };

const { response, pages } = JSON.parse(document.getElementById("data").textContent);

let language = (navigator.language || "").startsWith("ko") ? "ko" : "en";
const words = () => WORDS[language];
const byId = (id) => document.getElementById(id);

// A document's text is never markup: all of it goes in as text nodes.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

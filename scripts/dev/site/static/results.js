"use strict";
// Reads the results of every card every two seconds and shows what changed. An
// ETag keeps an unchanged answer down to its headers.
(() => {
  const status = document.getElementById("status");
  const cards = [...document.querySelectorAll("[data-touchpoint]")];
  const tags = new Map();
  const counted = new Map();
  const svg = "http://www.w3.org/2000/svg";

  const bar = (share) => {
    const s = document.createElementNS(svg, "svg");
    s.setAttribute("viewBox", "0 0 100 10");
    s.setAttribute("preserveAspectRatio", "none");
    s.setAttribute("aria-hidden", "true");
    const r = document.createElementNS(svg, "rect");
    r.setAttribute("width", share * 100);
    r.setAttribute("height", 10);
    s.append(r);
    return s;
  };

  const row = (score, n, most) => {
    const tr = document.createElement("tr");
    const th = document.createElement("th");
    th.scope = "row";
    th.textContent = score;
    const share = document.createElement("td");
    share.append(bar(most ? n / most : 0));
    const count = document.createElement("td");
    count.textContent = n;
    tr.append(th, share, count);
    return tr;
  };

  // Of people; the other categories are called by an adjective.
  const nouns = new Set(["detractor", "passive", "promoter"]);
  const categories = (t) =>
    Object.entries(t.categories).map(([name, n]) => `${n} ${name}${n !== 1 && nouns.has(name) ? "s" : ""}`).join(", ");

  const show = (card, report) => {
    const t = report.total;
    const unit = { csat: " %", smiley: " %", thumbs: " %" }[report.metric] ?? "";
    card.classList.toggle("few", t.tooFew);
    card.querySelector("strong").textContent = t.n ? t.shown.replace("-", "\u2212") + unit : "–";
    card.querySelector(".margin").textContent = t.margin === null ? "" : `± ${t.margin}`;
    card.querySelector(".about").textContent = t.n === 0
      ? "No answers yet"
      : `${t.n} ${t.n === 1 ? "answer" : "answers"}${t.tooFew ? ", too few to judge" : ""}: ${categories(t)}` +
        (report.goal === null || t.tooFew ? "" : `. Goal ${report.goal}${unit}: ${t.verdict}`);
    card.querySelector(".suspect").textContent = t.suspect
      ? `${t.suspect} suspect, not counted: they look like a mail scanner's`
      : "";
    const most = Math.max(0, ...Object.values(t.counts));
    const rows = [];
    for (let s = Number(card.dataset.first); s <= Number(card.dataset.last); s++) {
      rows.push(row(s, t.counts[s] ?? 0, most));
    }
    card.querySelector("tbody").replaceChildren(...rows);
    counted.set(card.dataset.touchpoint, t.n);
  };

  const read = async (card) => {
    const id = card.dataset.touchpoint;
    const headers = tags.has(id) ? { "If-None-Match": tags.get(id) } : {};
    const answer = await fetch(`/api/results/${id}`, { headers, cache: "no-store" });
    if (answer.status === 304) return false;
    if (!answer.ok) throw new Error(`${id}: ${answer.status}`);
    show(card, await answer.json());
    tags.set(id, answer.headers.get("ETag"));
    return true;
  };

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  let lost = false;
  const round = async () => {
    try {
      const changed = (await Promise.all(cards.map(read))).some(Boolean);
      if (changed || lost) {
        const n = [...counted.values()].reduce((a, b) => a + b, 0);
        say(n === 0 ? "No answers yet" : `${n} ${n === 1 ? "answer" : "answers"} in all, last change ${new Date().toLocaleTimeString("en-GB")}`);
      }
      lost = false;
    } catch {
      lost = true;
      say("The stack does not answer: is make dev running?");
    }
    setTimeout(round, 2000);
  };
  if (cards.length) round();
})();

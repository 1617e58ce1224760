"use strict";
// Shows the clock, how far it is moved, and what happens on the way.
(() => {
  const at = (id) => document.getElementById(id);
  const svg = "http://www.w3.org/2000/svg";
  const say = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  let shown = "";
  const chart = (days) => {
    const now = JSON.stringify(days);
    if (now === shown) return;
    shown = now;
    say(at("sum"), days.sum);
    const ends = at("axis").children;
    say(ends[0], days.first);
    say(ends[1], days.last);
    at("by-day").hidden = at("legend").hidden = !days.rows;
    if (!days.bars) return;
    const s = document.createElementNS(svg, "svg");
    s.setAttribute("viewBox", `0 0 ${days.width} 100`);
    s.setAttribute("preserveAspectRatio", "none");
    s.setAttribute("role", "img");
    s.setAttribute("aria-label", "Contacts asked, reminded and not asked by day");
    for (const bar of days.bars) {
      const g = document.createElementNS(svg, "g");
      const title = document.createElementNS(svg, "title");
      title.textContent = bar.title;
      g.append(title);
      for (const part of bar.parts) {
        const r = document.createElementNS(svg, "rect");
        r.setAttribute("class", part.kind);
        for (const [name, v] of Object.entries({ x: bar.x, y: part.y, width: 8, height: part.height })) r.setAttribute(name, v);
        g.append(r);
      }
      s.append(g);
    }
    at("chart").replaceChildren(s);
    at("days").replaceChildren(...days.rows.map((row) => {
      const tr = document.createElement("tr");
      const th = document.createElement("th");
      th.scope = "row";
      th.textContent = row.day;
      tr.append(th, ...[row.asked, row.reminded, row.refused].map((n) => {
        const td = document.createElement("td");
        td.textContent = n;
        return td;
      }));
      return tr;
    }));
  };

  const round = async () => {
    let wait = 2000;
    try {
      const answer = await fetch("/clock.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const c = await answer.json();
      say(at("now"), c.now);
      say(at("ahead"), c.ahead);
      at("moving").hidden = !c.moving;
      for (const b of document.querySelectorAll('form[action="/clock"] button')) b.disabled = c.moving;
      if (c.moving) {
        wait = 400;
        say(at("progress-label"), c.progress);
        at("progress").value = c.percent;
        say(at("status"), "");
      } else {
        say(at("status"), c.last);
      }
      chart(c.days);
    } catch {
      say(at("status"), "The stack does not answer: is make dev running?");
    }
    setTimeout(round, wait);
  };
  round();
})();

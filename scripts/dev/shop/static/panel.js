"use strict";
// The panel: reads the results every two seconds, and writes down each answer
// that is new since the last time.
(() => {
  const panel = document.getElementById("panel");
  const votes = panel.querySelector(".votes");
  const why = document.getElementById("why");
  const rows = [...panel.querySelectorAll("[data-touchpoint]")];
  const seen = new Map();

  const note = (text) => {
    const li = document.createElement("li");
    li.textContent = text;
    votes.prepend(li);
    while (votes.children.length > 5) votes.lastChild.remove();
  };

  const show = (row, total) => {
    const id = row.dataset.touchpoint;
    row.querySelector(".score").textContent = total.n ? total.shown : "–";
    row.querySelector(".answers").textContent = total.n ? `${total.n} ${panel.dataset.answers}` : panel.dataset.none;
    const before = seen.get(id);
    seen.set(id, total);
    if (!before) return;
    for (const [score, n] of Object.entries(total.counts)) {
      for (let i = before.counts[score] ?? 0; i < n; i++) note(`${panel.dataset.new}: ${id} ${score}`);
    }
  };

  let lost = false;
  const read = async () => {
    try {
      for (const row of rows) {
        const answer = await fetch(`/shop/results/${row.dataset.touchpoint}`);
        if (answer.ok) show(row, (await answer.json()).total);
      }
      lost = false;
    } catch {
      if (!lost) note(panel.dataset.lost);
      lost = true;
    }
    if (window.Pulssi) why.textContent = JSON.stringify(window.Pulssi.debug(), null, 1);
    setTimeout(read, document.hidden ? 10000 : 2000);
  };
  read();

  document.getElementById("again").addEventListener("click", () => {
    for (const store of [localStorage, sessionStorage]) {
      for (const key of Object.keys(store)) if (key.startsWith("pulssi")) store.removeItem(key);
    }
    location.reload();
  });
})();

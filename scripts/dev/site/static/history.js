"use strict";
// Shows how far the demo data are filled or removed.
(() => {
  const at = (id) => document.getElementById(id);
  const say = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  const round = async () => {
    let wait = 3000;
    try {
      const answer = await fetch("/history.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const h = await answer.json();
      at("history-doing").hidden = !h.doing;
      at("history-fill").disabled = Boolean(h.doing);
      at("history-remove").disabled = Boolean(h.doing) || !h.there;
      if (h.doing) {
        wait = 500;
        say(at("history-label"), h.progress);
        at("history-progress").value = h.percent;
      }
      say(at("history-status"), h.last);
    } catch {
      say(at("history-status"), "The stack does not answer: is make dev running?");
    }
    setTimeout(round, wait);
  };
  round();
})();

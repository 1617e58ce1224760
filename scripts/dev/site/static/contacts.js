"use strict";
// Tells of a file that is too large before it is sent, and shows how far the
// imports are.
(() => {
  const form = document.getElementById("upload-form");
  const file = document.getElementById("file");
  const mistake = document.getElementById("upload-mistake");
  const limit = Number(form.dataset.limit);
  const list = document.getElementById("imports");
  const status = document.getElementById("imports-status");

  const check = () => {
    const chosen = file.files[0];
    const size = chosen ? chosen.size : 0;
    mistake.hidden = !chosen || size > 0 && size <= limit;
    mistake.textContent = mistake.hidden ? ""
      : size === 0 ? "The file is empty."
      : `The file must be at most ${limit >> 20} MB: split it, and upload the parts one after the other.`;
    return mistake.hidden;
  };
  file.addEventListener("change", check);
  form.addEventListener("submit", (e) => {
    if (!check()) {
      e.preventDefault();
      file.focus();
      return;
    }
    form.querySelector("button").textContent = "Uploading…";
  });
  addEventListener("pageshow", () => { form.querySelector("button").textContent = "Upload"; });

  const under = () => list.querySelectorAll('[data-state="waiting"], [data-state="running"]').length;
  const interrupted = () => list.querySelectorAll('[data-state="interrupted"]').length;
  const round = async () => {
    try {
      const answer = await fetch("/contacts/imports", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...fresh.body.childNodes);
      if (under() === 0) {
        status.textContent = interrupted() === 0 ? "The import is done." : "";
        const people = document.querySelector('[aria-labelledby="people-title"]');
        const page = await fetch(location.href, { cache: "no-store" });
        const whole = new DOMParser().parseFromString(await page.text(), "text/html");
        people.replaceWith(whole.querySelector('[aria-labelledby="people-title"]'));
        return;
      }
      status.textContent = "An import is under way…";
    } catch {
      status.textContent = "The stack does not answer: is make dev running?";
    }
    setTimeout(round, 700);
  };
  if (under() > 0) round();
})();

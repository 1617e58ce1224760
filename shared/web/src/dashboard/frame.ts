// The document that previews are shown in: a message from the dashboard, which
// is around it, says what. It is /dashboard/frame, where nothing can be sent.
import type { Show, UI } from "../widget/contract.ts";

/** What is to be shown: a document of its own, or the popup on a page. */
export type Framed = { title: string; html: string } | { popup: Show };

const style = `
html, body { height: 100%; margin: 0; }
iframe { display: block; width: 100%; height: 100%; border: 0; background: #fff; }
.page { box-sizing: border-box; min-height: 100%; padding: 24px; background: light-dark(#eef0f3, #2a2f36); }
.line { height: 12px; margin-bottom: 14px; border-radius: 6px; background: light-dark(#d9dde3, #3a414a); }
.line:nth-child(3n) { width: 70%; }
.line:nth-child(4n + 1) { width: 45%; height: 22px; }
`;

const script = document.currentScript as HTMLScriptElement;
const popupFile = new URL(script.dataset.popup!, location.href).href;

/** The element of an inline survey, in place of the one of the company's page. */
const place = "place";

let popup: ReturnType<UI["show"]> | undefined;
let turn = 0;

/** The page of somebody else that the popup is on: lines in place of words. */
function page(): void {
  if (document.querySelector(".page")) return;
  const lines = Array.from({ length: 14 }, () => Object.assign(document.createElement("div"), { className: "line" }));
  const around = Object.assign(document.createElement("div"), { className: "page" });
  around.append(...lines.slice(0, 5), Object.assign(document.createElement("div"), { id: place }), ...lines.slice(5));
  document.body.replaceChildren(around);
}

function letter(title: string, html: string): void {
  popup = undefined;
  let frame = document.querySelector("iframe");
  if (!frame) {
    frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "");
    document.body.replaceChildren(frame);
  }
  frame.title = title;
  // A link of the letter asks for a window, which the sandbox does not have.
  frame.srcdoc = html.replace(/<head[^>]*>/i, '$&<base target="_blank">');
}

async function survey(show: Show): Promise<void> {
  const mine = ++turn;
  const file: UI = await import(popupFile);
  if (mine !== turn) return;
  page();
  popup?.close();
  popup = file.show("/", "preview", show.place === "inline" ? { ...show, target: `#${place}` } : show, {}, () => undefined);
  // What is typed beside the preview is not to be read aloud with every letter.
  popup.host.shadowRoot!.querySelector("[role=status]")?.remove();
}

// The popup takes this for a network that is down, and says nothing of it.
globalThis.fetch = () => Promise.reject(new TypeError("a preview sends nothing"));

document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
addEventListener("message", (e: MessageEvent<Framed>) => {
  if (e.source !== parent || e.origin !== location.origin) return;
  if ("popup" in e.data) void survey(e.data.popup);
  else {
    turn++;
    letter(e.data.title, e.data.html);
  }
});
parent.postMessage("ready", location.origin);

// The second file of the popup: shows it, takes the answer, sends it.
import type { Keep, Popup, Show } from "./contract";

/** style.css, put in by the build. */
declare const STYLE: string;

/** How often a vote is sent again, on as many page views. */
const TRIES = 4;

/** How long the thanks stay, in milliseconds. */
const THANKS = 5e3;

/** Where a vote is kept until it has arrived: its tries, address and body. */
const QUEUE = "pulssi.q.";

/** Sends a vote, and forgets it once it is taken or refused for good. */
const post = async (id: string, url: string, body: string) => {
  try {
    const { status } = await fetch(url, { method: "POST", body, keepalive: true });
    // Unless something newer was kept in its place meanwhile.
    if (status < 500 && status != 429 && localStorage[QUEUE + id].endsWith(body)) delete localStorage[QUEUE + id];
  } catch {
    // Offline or blocked: the next page tries again. Or no storage: it cannot.
  }
};

export const resend = () => {
  try {
    for (const key of Object.keys(localStorage))
      if (key.startsWith(QUEUE)) {
        const [tries, url, body] = localStorage[key].split("\n");
        delete localStorage[key];
        if (tries > 1) localStorage[key] = [tries - 1, url, body].join("\n");
        post(key.slice(QUEUE.length), url, body);
      }
  } catch {
    // Storage is blocked: no vote was kept.
  }
};

addEventListener("online", resend);

const make = <E extends keyof HTMLElementTagNameMap>(name: E, properties: object, ...inside: (Node | string)[]) => {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...inside);
  return e;
};

/** Draws a path on a field of 32 by 32, in the style sheet's lines. */
const draw = (d: string) => {
  const [svg, path] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  svg!.setAttribute("viewBox", "0 0 32 32");
  path!.setAttribute("d", d);
  svg!.append(path!);
  return svg!;
};

const CROSS = "M11 11l10 10M21 11l-10 10";
const TICK = "M5 17l7 7L27 9";

export const show = (base: string, of: string, s: Show, options: PulssiOptions, keep: Keep): Popup => {
  const { text, low } = s;
  const [color, ink, light, dark] = s.colors;
  const inline = s.place == "inline";
  const parent = inline ? document.querySelector(s.target!)! : document.documentElement;

  const host = document.createElement("pulssi-popup");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE + `.p{--c:${color};--i:${ink};--l:light-dark(${light},${dark})}`);
  root.adoptedStyleSheets = [sheet];

  // 16 random bytes in base64url, but that _ stands for two of its characters.
  const id = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\W/g, "_").slice(0, 22);
  let score: number | undefined;
  let sending = Promise.resolve();
  let before: HTMLElement | null;

  const stay = (ms: number) => keep("t." + of, Date.now() + ms);

  // One after the other, so that the last word is what stands.
  const vote = (comment?: string) => {
    const url = base + "v/" + of;
    const body = JSON.stringify({
      id,
      score,
      comment,
      locale: s.locale,
      page: (location.host + location.pathname).slice(0, 300),
      ref: options.ref,
      attrs: options.attrs,
    });
    keep("q." + id, [TRIES, url, body].join("\n"));
    sending = sending.then(() => post(id, url, body));
    stay(s.recontact);
  };

  const close = () => {
    const inside = root.activeElement;
    host.remove();
    if (inside) before?.focus({ preventScroll: true });
  };

  const status = make("p", { role: "status", className: "h" });
  const tell = (what: string) => setTimeout(() => (status.textContent = what), 100);

  const thank = () => {
    if (root.activeElement) panel.focus();
    panel.ariaLabel = text.thanks;
    body.replaceChildren(make("p", { className: "q t" }, draw(TICK), text.thanks));
    if (s.link) body.append(make("a", { href: s.link, target: "_blank", rel: "noopener", className: "s" }, text.more));
    else if (!inline) setTimeout(close, THANKS);
    tell(text.thanks);
  };

  const box = make("textarea", { rows: 3, maxLength: 2000 });
  const why = make("span", {});
  const done = () => {
    // The server refuses what nobody can see.
    const comment = box.value.replace(/(?!\n)\p{Cc}/gu, " ").trim();
    if (comment) vote(comment);
    thank();
  };
  const send = make("button", { className: "s", onclick: done }, text.send);

  const aim = (to: Element) => buttons.forEach((b) => (b.tabIndex = b == to ? 0 : -1));

  const choose = (i: number) => {
    aim(buttons[i]!);
    buttons.forEach((b, j) => (b.ariaChecked = "" + (i == j)));
    if (score != i + low) {
      score = i + low;
      vote();
    }
    why.textContent = text.followup[s.answers[i]!]!;
    if (!box.isConnected) body.append(make("label", {}, why, box), send);
    // On a touch screen the focus would bring up a keyboard over the question.
    if (matchMedia("(pointer:coarse)").matches) tell(why.textContent);
    else box.focus();
    panel.scrollTop = 1e4;
  };

  const end = s.answers.length - 1;
  const buttons = s.answers.map((_, i) =>
    make(
      "button",
      { role: "radio", ariaChecked: "false", ariaLabel: text.answers[i], tabIndex: i && -1, onclick: () => choose(i) },
      s.icons ? draw(s.icons[i]!) : "" + (i + low),
    ),
  );

  // The keys of a radio group, but that to move is not yet to choose.
  let one = 0;
  const keys = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const ten = one && e.key == "0";
    clearTimeout(one);
    one = 0;
    const at = buttons.indexOf(root.activeElement as HTMLButtonElement);
    const on = s.dir == "rtl" ? -1 : 1;
    const moves: Record<string, number> = {
      ArrowRight: at + on,
      ArrowLeft: at - on,
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: end,
    };
    const digit = e.key >= "0" && e.key <= "9";
    const to = digit ? (ten ? end : +e.key - low) : (moves[e.key]! + end + 1) % (end + 1);
    const b = buttons[to];
    if (!b) return;
    e.preventDefault();
    aim(b);
    b.focus();
    if (digit)
      // A 1 may be the beginning of 10.
      if (e.key == "1" && end == 10) one = setTimeout(() => host.isConnected && choose(1), 700);
      else choose(to);
  };

  const body = make(
    "div",
    { className: "b" },
    make("p", { className: "q" }, text.question),
    make("div", { role: "radiogroup", ariaLabel: text.question, className: "g " + s.shape + end, onkeydown: keys }, ...buttons),
    make("p", { className: "e", ariaHidden: "true" }, make("span", {}, text.low), make("span", {}, text.high)),
  );
  const panel = make(
    "div",
    {
      className: "p " + s.place,
      role: inline ? "group" : "dialog",
      ariaLabel: text.question,
      tabIndex: -1,
      lang: s.locale,
      dir: s.dir,
    },
    body,
    status,
  );
  if (!inline) {
    panel.append(make("button", { className: "x", ariaLabel: text.close, onclick: close }, draw(CROSS)));
    // Escape is the page's own where the focus is in the page. The listener
    // stays: to close what is closed changes nothing.
    addEventListener("keydown", (e) => {
      const at = document.activeElement;
      if (e.key == "Escape" && !e.defaultPrevented && (at == host || at == document.body)) close();
    });
    stay(s.dismissed);
    tell(text.question);
  }
  root.append(panel);
  root.addEventListener("focusin", (e) => {
    const from = (e as FocusEvent).relatedTarget as HTMLElement | null;
    if (!root.contains(from)) before = from;
  });
  parent.append(host);
  return { host, close };
};

// The script of the answer page. The page is a form that works without it;
// with it, an answer is saved the moment it is given.
//
// What it sends follows the rules of trust: "auto" once, when somebody sees a
// page that came with an answer; "human" once a person has touched the page,
// with whatever is chosen then and after that.

interface Data {
  /** The answer that the page came with may be reported as it is. */
  auto?: boolean;
  /** Of the stored answer. */
  trust?: string;
  /** What the page shows is what is stored. */
  stored?: boolean;
  max: number;
  low: number;
  /** What is asked next and in which language, by answer from the lowest. */
  followup: [text: string, lang: string][];
  /** A public link, whose answers are votes. */
  vote?: { url: string; locale: string; ref?: string };
  texts: Record<"send" | "add" | "save" | "saved" | "confirm" | "offline" | "left" | "over" | "choose" | "tooLong" | "bad" | "closed" | "failed", string>;
}

/** An answer to an ask, or a vote. */
interface Message {
  score: number;
  comment?: string;
  via?: string;
  id?: string;
  locale?: string;
  ref?: string;
  channel?: string;
}

/** Milliseconds. A person who touched the page may be about to choose. */
const afterTouch = 500;
const afterChoice = 250;
const afterTyping = 1000;
const longestWait = 30_000;

const get = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const data: Data = JSON.parse(get("data").textContent!);
const { texts, vote } = data;
const form = document.forms[0];
const box = get<HTMLTextAreaElement>("comment");
const note = get("note");
const line = note.querySelector("span")!;
const count = get("count");
const thanks = get("thanks");
const draft = "pulssi:" + location.pathname + (vote?.ref ?? "");

const chosen = () => form.querySelector<HTMLInputElement>(":checked");
const score = () => (chosen() ? +chosen()!.value : undefined);
const comment = () => box.value.trim();
/** Characters as the server counts them: code points. */
const excess = () => [...comment()].length - data.max;

let touched = false;
let stored = { trust: data.trust, score: data.stored ? score() : undefined, comment: data.stored ? comment() : "" };
let auto = data.auto;
/** A comment and a message that the server refused; not to be sent again. */
let badComment: string | undefined;
let refused = "";
/** The person pressed the button and is owed thanks. */
let owed = false;
let failures = 0;
let timer = 0;
let flying: { text: string; abort: AbortController } | undefined;

// A draft outlives a reload in the same tab, and with it the id of a vote.
// Whoever opens a link anew may be somebody else, and starts anew.
const store = (value: object) => {
  try {
    sessionStorage.setItem(draft, JSON.stringify(value));
  } catch {
    // storage is blocked, or full
  }
};
const restore = (): { id?: string; score?: number; comment?: string } => {
  try {
    const { type } = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming;
    if (type === "reload" || type === "back_forward") return JSON.parse(sessionStorage.getItem(draft) ?? "{}");
    sessionStorage.removeItem(draft);
  } catch {
    // storage is blocked
  }
  return {};
};
const kept = restore();
const newID = () =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .slice(0, 22);
let id = kept.id ?? newID();
/** Keeps what is not stored: a comment that is needs no draft, and might be read by others. */
const keepDraft = () => store({ id, score: score(), comment: comment() === stored.comment ? undefined : box.value });

/** The message that is due; empty where all that can be sent is stored. */
const due = () => {
  const s = score();
  if (s === undefined) return "";
  const body: Message = { score: s };
  if (touched) {
    const c = comment();
    if (c !== stored.comment && c !== badComment && excess() <= 0) body.comment = c;
    else if (stored.trust === "human" && stored.score === s) return "";
  } else if (!auto || document.visibilityState === "hidden" || (document as { prerendering?: boolean }).prerendering) return "";
  if (vote) Object.assign(body, { id, locale: vote.locale, ref: vote.ref, channel: "link" });
  else body.via = touched ? "human" : "auto";
  const text = JSON.stringify(body);
  return text === refused ? "" : text;
};

const later = (wait: number) => {
  clearTimeout(timer);
  timer = window.setTimeout(send, wait);
};

/**
 * Sends what is due. One message flies at a time, so that none overtakes
 * another; only one who leaves does not wait.
 */
async function send(leaving?: boolean) {
  clearTimeout(timer);
  const text = due();
  if (!text || flying?.text === text) {
    settle();
    return;
  }
  if (flying) {
    if (leaving !== true) return;
    flying.abort.abort();
  }
  const mine = (flying = { text, abort: new AbortController() });
  let status = 0;
  let answer: { score?: number; trust?: string; error?: { code: string; field?: string } } = {};
  try {
    const r = await fetch(vote ? vote.url : form.action, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: text,
      keepalive: true,
      signal: mine.abort.signal,
    });
    status = r.status;
    answer = await r.json();
  } catch {
    if (status === 200) status = 0; // half an answer
  }
  if (flying !== mine) return;
  flying = undefined;
  if (status === 200) took(JSON.parse(text), answer);
  else if (!status || status === 429 || status >= 500) tryAgain();
  else refuse(text, answer.error?.code, answer.error?.field);
}

function took(sent: Message, answer: { score?: number; trust?: string }) {
  failures = 0;
  stored = { trust: answer.trust, score: answer.score, comment: sent.comment ?? stored.comment };
  if (touched) keepDraft();
  auto = false;
  if (!touched && answer.trust === "human" && answer.score !== sent.score) {
    // Somebody has answered meanwhile, and a person's answer stands.
    choose(answer.score!);
    ask();
  }
  if (answer.trust === "suspect") say(texts.confirm);
  else say(texts.saved, "good");
  form.querySelector("button")!.textContent = stored.comment ? texts.save : answer.trust === "suspect" ? texts.send : texts.add;
  if (answer.trust === "human") {
    forget();
    get("later")?.removeAttribute("hidden");
  }
  send();
}

/** A reload shall show the person's answer, not what the link came with. */
const forget = () => history.replaceState(null, "", location.pathname + (vote?.ref ? "?ref=" + encodeURIComponent(vote.ref) : ""));

function tryAgain() {
  say(texts.offline, "bad");
  later(Math.min(longestWait, 1000 * 2 ** failures++));
}

function refuse(text: string, code?: string, field?: string) {
  const sent: Message = JSON.parse(text);
  owed = auto = false;
  if (code === "conflict" && vote) {
    id = newID(); // the old one was of another question
    keepDraft();
    if (!failures++) {
      send();
      return;
    }
  }
  refused = text;
  if (field === "comment") {
    badComment = sent.comment;
    box.setAttribute("aria-invalid", "true");
    say(texts.bad, "bad");
    send(); // the score without it
  } else say(code === "closed" ? texts.closed : texts.failed, "bad");
}

/** Thanks the person once all is stored. */
function settle() {
  if (!owed || flying || stored.score === undefined || score() !== stored.score || comment() !== stored.comment) return;
  owed = false;
  document.querySelector(".alert")?.remove();
  say(texts.saved, "good");
  thanks.hidden = false;
  thanks.focus();
  thanks.scrollIntoView({ block: "nearest" });
}

function say(text: string, tone = "") {
  note.className = "note " + tone;
  if (line.textContent !== text) line.textContent = text; // else it is read out twice
}

function choose(s: number) {
  const radio = form.querySelector<HTMLInputElement>(`[name=score][value="${s}"]`);
  if (radio) radio.checked = true;
}

/** Asks what fits the answer. */
function ask() {
  const s = score();
  if (s === undefined) return;
  const [text, lang] = data.followup[s - data.low];
  const a = get("ask");
  a.textContent = text;
  a.lang = lang;
  a.dir = "auto";
}

function measure() {
  const over = excess();
  const text = over > 0 ? texts.over : texts.left;
  count.textContent = over > -200 ? text.replace("{n}", "" + Math.abs(over)) : "";
  count.className = over > 0 ? "bad" : "soft";
  if (over > 0) {
    box.setAttribute("aria-invalid", "true");
    say(texts.tooLong, "bad");
  } else if (box.hasAttribute("aria-invalid")) {
    box.removeAttribute("aria-invalid");
    say("");
  }
}

form.noValidate = true; // this script says it in the page's own language
for (const type of ["pointerdown", "touchstart", "keydown"])
  addEventListener(
    type,
    (e) => {
      if (touched || !e.isTrusted) return;
      touched = true;
      later(afterTouch);
    },
    { capture: true, passive: true },
  );
form.addEventListener("input", (e) => {
  if (!e.isTrusted) return;
  touched = true;
  keepDraft();
  if (e.target === box) {
    measure();
    later(afterTyping);
  } else {
    if (!badComment) say("");
    forget();
    ask();
    later(afterChoice);
  }
});
form.addEventListener("submit", (e) => {
  e.preventDefault();
  touched ||= e.isTrusted;
  if (score() === undefined) {
    say(texts.choose, "bad");
    form.querySelector("input")!.focus();
  } else if (excess() > 0 || (badComment !== undefined && comment() === badComment)) {
    say(excess() > 0 ? texts.tooLong : texts.bad, "bad");
    box.focus();
  } else {
    owed = true;
    refused = "";
    send();
  }
});
document.addEventListener("visibilitychange", () => send(document.visibilityState === "hidden"));
document.addEventListener("prerenderingchange", () => send());
addEventListener("online", () => send());
addEventListener("pagehide", () => send(true));

if (vote || kept.comment !== undefined) {
  if (score() === undefined && kept.score !== undefined) choose(kept.score);
  if (kept.comment !== undefined) box.value = kept.comment;
  ask();
}
measure();
send();

export {};

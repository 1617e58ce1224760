// The first file of the popup: all that a page loads on which it does not show.
// It decides whether and when to show, and then loads the second file. Nothing
// it does can throw into the page.
import type { Keep, Popup, Show, UI, When } from "./contract";

/** The second file's name and its hash, put in by the build. */
declare const UI_FILE: string;
declare const UI_HASH: string;

/** How long a visitor without a pointer rests who is about to leave, in ms. */
const IDLE = 3e4;

declare global {
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}

const script = document.currentScript as HTMLScriptElement | null;
const tag = script?.dataset.touchpoint;

if (script?.src && !window.Pulssi) {
  const base = script.src.replace(/[^/]*$/, "");
  const asked = new Map<string, PulssiOptions>();
  const whens: Record<string, Promise<When>> = {};
  const said: Record<string, string> = {};
  let popup: Popup | undefined;
  // Over when the page view is, or has had its popup: what was waiting gives up.
  let view = new AbortController();
  let path = location.pathname;

  const memory: Record<string, string | number> = {};
  const keep: Keep = (key, value, session) => {
    key = "pulssi." + key;
    const at = (store: typeof memory) => {
      if (value != null) store[key] = value;
      return store[key] as string;
    };
    try {
      return at(session ? sessionStorage : localStorage);
    } catch {
      return at(memory);
    }
  };

  const config = async (touchpoint: string, part: string) =>
    (await fetch(base + "w/" + touchpoint + ".json?part=" + part, { signal: AbortSignal.timeout(3e3) })).json();

  // The preload checks the hash, whatever policies the page has, and import
  // takes what was preloaded.
  const load = () =>
    new Promise<UI>((resolve, reject) => {
      const href = base + UI_FILE;
      document.head.append(
        Object.assign(document.createElement("link"), {
          rel: "modulepreload",
          nonce: script.nonce,
          integrity: UI_HASH,
          href,
          onload: () => resolve(import(href)),
          onerror: reject,
        }),
      );
    });

  const sleep = (ms?: number) => new Promise((resolve) => setTimeout(resolve, ms));

  const until = (signal: AbortSignal, test: (e?: any) => unknown, ...types: string[]) =>
    new Promise<void>((resolve) => {
      const look = (e?: Event) => test(e) && resolve();
      types.map((type) => addEventListener(type, look, { signal, passive: true }));
      look();
    });

  // In the way are another popup, an open dialog, and a visitor who is typing or
  // elsewhere.
  const busy = () =>
    popup?.host.isConnected ||
    document.hidden ||
    document.activeElement?.matches("input,select,textarea,iframe,[contenteditable]") ||
    [...document.querySelectorAll("dialog[open],[role$=dialog],[aria-modal=true]")].some((d) => d.checkVisibility());

  const consider = async (touchpoint: string): Promise<string | undefined> => {
    const { signal } = view;
    const free = async () => {
      while (!signal.aborted && busy()) await sleep(500);
      return !signal.aborted;
    };
    if (+keep("t." + touchpoint)! > Date.now()) return "asked";

    const when = await (whens[touchpoint] ||= config(touchpoint, "when"));
    if (!when.path) return when.off;
    let key = "v." + touchpoint;
    if (when.views && +keep(key, 1 + +(keep(key, null, true) ?? 0), true)! < when.views) return "views";
    if (!RegExp(when.path).test(path)) return "path";
    // Not the visitor but a number of 100 is remembered, and for the visit alone
    // where the visitor asks not to be tracked.
    const session = navigator.globalPrivacyControl || navigator.doNotTrack == "1";
    key = "s." + touchpoint;
    if (when.sample != null && +(keep(key, null, session) ?? keep(key, (Math.random() * 100) | 0, session)!) >= when.sample)
      return "sample";

    said[touchpoint] = "waiting";
    if (!when.exit) await sleep(when.delay);
    if (when.scroll) {
      const page = document.documentElement;
      // A page without anything to scroll (0 / 0) has been scrolled.
      await until(signal, () => !((100 * scrollY) / (page.scrollHeight - innerHeight) < when.scroll!), "scroll");
    }
    if (when.exit)
      if (matchMedia("(pointer:coarse)").matches) {
        let last = 0;
        until(signal, () => void (last = Date.now()), "touchstart", "scroll", "input");
        for (let rest; (rest = last + IDLE - Date.now()) > 0; ) await sleep(rest);
      } else await until(signal, (e) => e && !e.relatedTarget && e.clientY <= 0, "mouseout");

    if (!(await free())) return "gave way";
    const options = asked.get(touchpoint)!;
    const [file, show]: [UI, Show] = await Promise.all([
      load(),
      config(touchpoint, "show&locale=" + (options.locale || document.documentElement.lang || navigator.language)),
    ]);
    do if (!(await free())) return "gave way";
    while (busy());
    popup = file.show(base, touchpoint, show, options, keep);
    view.abort();
    return "shown";
  };

  const start = (touchpoint: string) => {
    const here = view;
    consider(touchpoint)
      .catch(String)
      .then((why) => here == view && (said[touchpoint] = why!));
  };

  // A popup goes with its page, unless the visitor is in it.
  const turn = () => {
    path = location.pathname;
    view.abort();
    view = new AbortController();
    if (document.activeElement != popup?.host) popup?.close();
    for (const touchpoint of asked.keys()) start(touchpoint);
  };

  const moved = () => path != location.pathname && turn();

  window.Pulssi = {
    ask(touchpoint, options = {}) {
      const known = asked.has(touchpoint);
      asked.set(touchpoint, options);
      if (!known) start(touchpoint);
    },
    stop() {
      asked.clear();
      popup?.close();
      turn();
    },
    debug: () => said,
  };

  // Where there is no Navigation API, a change of route is noticed at the next
  // click or step through the history: no prototype is patched, nothing polled.
  if (window.navigation) navigation.addEventListener("currententrychange", moved);
  else ["click", "popstate"].map((type) => addEventListener(type, () => setTimeout(moved)));

  try {
    if (Object.keys(localStorage).some((key) => key.startsWith("pulssi.q."))) load().then((file) => file.resend(), () => {});
  } catch {
    // Storage is blocked: no vote was kept.
  }
}

if (tag) window.Pulssi?.ask?.(tag);

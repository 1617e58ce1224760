// Results and comments as files for a spreadsheet.
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { file, Problem } from "./api.ts";
import { save } from "./chart.tsx";
import type { Unit } from "./contract.ts";
import { count, texts } from "./locale.ts";
import { problemText } from "./parts.tsx";
import { rangeQuery } from "./range.tsx";
import { address, hrefOf } from "./router.ts";
import app from "./texts/app.json";
import words from "./texts/export.json";

type Format = "comma" | "semicolon" | "xlsx";
type What = "scores" | "comments";

/** The path of the first part of a file, with what the address filters. */
function path(touchpoint: string, what: What, format: Format, by: Unit): string {
  const q = address.value.query;
  const wanted: Record<string, string> = { what, format: format === "xlsx" ? "xlsx" : "csv", ...(format === "semicolon" ? { separator: "semicolon" } : {}), ...rangeQuery(q) };
  if (what === "scores") wanted.by = by;
  for (const name of what === "scores" ? ["channel", "segment"] : ["channel", "segment", "category", "score", "locale", "q"]) {
    const value = q.get(name);
    if (value) wanted[name] = value;
  }
  return hrefOf(`/api/export/${encodeURIComponent(touchpoint)}`, wanted);
}

/** The part that follows one, from its header Link. */
function following(answer: globalThis.Response): string | null {
  for (const link of (answer.headers.get("link") ?? "").split(/,\s*(?=<)/)) {
    const [, target, parameters] = /^<([^>]*)>(.*)$/.exec(link) ?? [];
    if (target !== undefined && /;\s*rel="?next"?/.test(parameters ?? "")) {
      const url = new URL(target, location.href);
      return url.pathname + url.search;
    }
  }
  return null;
}

/** The name that the API gives a file. */
function fileName(answer: globalThis.Response): string | null {
  return /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? null;
}

/** The menu of files. A file in parts is put together before it is saved. */
export function Export(props: { touchpoint: string; by: Unit }): VNode {
  const t = texts(words);
  const a = texts(app);
  const menu = useRef<HTMLDetailsElement>(null);
  const parts = useSignal<number | null>(null);
  const problem = useSignal<string | null>(null);
  const done = useSignal(false);
  const run = useRef(0);
  useEffect(() => {
    const away = (e: Event) => {
      if (menu.current?.open && e.target instanceof Node && !menu.current.contains(e.target)) menu.current.open = false;
    };
    document.addEventListener("click", away);
    document.addEventListener("focusin", away);
    return () => {
      run.current++;
      document.removeEventListener("click", away);
      document.removeEventListener("focusin", away);
    };
  }, []);

  const fetchAll = async (what: What, format: Format) => {
    const mine = ++run.current;
    problem.value = null;
    done.value = false;
    parts.value = 0;
    try {
      const bodies: Blob[] = [];
      let name = "";
      let type = "";
      for (let next: string | null = path(props.touchpoint, what, format, props.by); next !== null; ) {
        const answer = await file(next);
        const body = await answer.blob();
        if (mine !== run.current) return;
        bodies.push(body);
        name ||= fileName(answer) ?? `${props.touchpoint}.${format === "xlsx" ? "xlsx" : "csv"}`;
        type ||= body.type;
        parts.value = bodies.length;
        next = following(answer);
      }
      save(new Blob(bodies, { type }), name);
      done.value = true;
    } catch (e) {
      if (mine === run.current) problem.value = e instanceof Problem && e.status > 0 && e.status < 500 ? problemText(e) : t.failed;
    } finally {
      if (mine === run.current) parts.value = null;
    }
  };
  const choice = (what: What, format: Format, name: string) => (
    <li>
      <button type="button" disabled={parts.value !== null} onClick={() => void fetchAll(what, format)}>
        {name}
      </button>
    </li>
  );
  return (
    <details
      class="menu"
      ref={menu}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !menu.current?.open) return;
        menu.current.open = false;
        menu.current.querySelector("summary")?.focus();
      }}
    >
      <summary class="button">{t.title}</summary>
      <div class="card">
        {(["scores", "comments"] as const).map((what) => (
          <section key={what} aria-labelledby={`export-${what}`}>
            <h2 id={`export-${what}`}>{t[what]}</h2>
            <ul>
              {choice(what, "xlsx", t.xlsx)}
              {choice(what, "semicolon", t.semicolon)}
              {choice(what, "comma", t.comma)}
            </ul>
          </section>
        ))}
        <p>
          <button type="button" onClick={() => print()}>
            {t.print}
          </button>
        </p>
        <p class={problem.value ? "note warn" : "soft"} role="status">
          {parts.value !== null ? count(t.parts, parts.value) : (problem.value ?? (done.value ? t.done : ""))}
        </p>
        {parts.value !== null && (
          <button
            type="button"
            onClick={() => {
              run.current++;
              parts.value = null;
            }}
          >
            {a.cancel}
          </button>
        )}
      </div>
    </details>
  );
}

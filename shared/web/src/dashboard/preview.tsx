// What customers would see of a definition, beside the form that changes it.
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Problem, ask } from "./api.ts";
import type { Metric, Preview as Shown } from "./contract.ts";
import { channelsOf, localesOf, type Doc } from "./draft.ts";
import type { Framed } from "./frame.ts";
import { count, fill, texts } from "./locale.ts";
import { answers, categories, categoryOf, languageName } from "./metric.ts";
import words from "./texts/preview.json";
import type { Show } from "../widget/contract.ts";

type Kind = Shown["kind"];
const firstName = "Maija";

/** The kinds that there are of a definition. */
function kindsOf(d: Doc): Kind[] {
  const has = channelsOf(d);
  const out: Kind[] = [];
  if (has.includes("email")) out.push("email");
  if (has.includes("sms")) out.push("sms");
  if (has.some((c) => c === "email" || c === "sms" || c === "link")) out.push("page");
  if (has.includes("widget")) out.push("widget");
  return out.length > 0 ? out : ["page"];
}

/** Shows a definition: of is what is shown, and draft whether it is not in force. waiting says that something newer cannot be shown. */
export function Preview(props: { id: string; of: Doc | null; draft: boolean; waiting: boolean }): VNode {
  const t = texts(words);
  const { of } = props;
  const [kind, setKind] = useState<Kind>("email");
  const [locale, setLocale] = useState("");
  const [reminder, setReminder] = useState(false);
  const [score, setScore] = useState<number | null>(null);
  const [wide, setWide] = useState(true);
  const [shown, setShown] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const kinds = of ? kindsOf(of) : [];
  const now = kinds.includes(kind) ? kind : (kinds[0] ?? "page");
  const locales = of ? localesOf(of) : [];
  const inLocale = locales.includes(locale) ? locale : (locales[0] ?? "");
  const metric = of?.metric as Metric | undefined;
  const chosen = metric && score !== null && answers(metric).includes(score) ? score : null;

  useEffect(() => {
    if (!of) return;
    let over = false;
    const message = now === "email" || now === "sms";
    const about = {
      kind: now,
      locale: inLocale,
      ...(props.draft ? { definition: of } : {}),
      ...(message ? { firstName, about: t.about, reminder } : {}),
      ...(now === "page" && chosen !== null ? { score: chosen } : {}),
    };
    ask<Shown>(`/api/touchpoints/${encodeURIComponent(props.id)}/preview`, about).then(
      (s) => {
        if (over) return;
        setShown(s);
        setProblem(null);
      },
      (e: unknown) => !over && setProblem(e instanceof Problem ? e : new Problem(0, "failed", "", String(e))),
    );
    return () => {
      over = true;
    };
  }, [props.id, of, props.draft, now, inLocale, reminder, chosen]);

  const fresh = shown?.kind === now && shown.locale === inLocale;
  return (
    <section class="card preview" aria-labelledby="preview-title">
      <h2 id="preview-title">{t.title}</h2>
      <div class="tools">
        <div class="kinds" role="group" aria-label={t.kind}>
          {kinds.map((k) => (
            <button key={k} type="button" id={`preview-${k}`} aria-pressed={k === now} onClick={() => setKind(k)}>
              {t.kinds[k]}
            </button>
          ))}
        </div>
        <label>
          <span class="unseen">{t.language}</span>
          <select id="preview-locale" value={inLocale} onChange={(e) => setLocale(e.currentTarget.value)}>
            {locales.map((l) => (
              <option key={l} value={l}>
                {languageName(l)}
              </option>
            ))}
          </select>
        </label>
        {now === "email" && (
          <div class="kinds" role="group" aria-label={t.width}>
            {[true, false].map((w) => (
              <button key={String(w)} type="button" aria-pressed={w === wide} onClick={() => setWide(w)}>
                {w ? t.wide : t.narrow}
              </button>
            ))}
          </div>
        )}
        {(now === "email" || now === "sms") && (
          <label class="tick">
            <input id="preview-reminder" type="checkbox" checked={reminder} onChange={(e) => setReminder(e.currentTarget.checked)} />
            <span>{t.reminder}</span>
          </label>
        )}
        {now === "page" && metric && (
          <label>
            <span class="unseen">{t.score}</span>
            <select id="preview-score" value={chosen === null ? "" : String(chosen)} onChange={(e) => setScore(e.currentTarget.value === "" ? null : Number(e.currentTarget.value))}>
              <option value="">{t.noScore}</option>
              {categories(metric).map((c) => {
                const first = [...answers(metric)].reverse().find((a) => categoryOf(metric, a) === c)!;
                return (
                  <option key={c} value={String(first)}>
                    {fill(t.answer, { n: first })}
                  </option>
                );
              })}
            </select>
          </label>
        )}
      </div>
      <p class="soft state" role="status">
        {problem ? (problem.status === 0 ? t.offline : t.failed) : !of || props.waiting ? t.waiting : ""}
      </p>
      <div class={fresh && !props.waiting ? "shown" : "shown old"}>
        {shown && fresh ? <What shown={shown} wide={wide} /> : <div class="bone tall" />}
      </div>
    </section>
  );
}

function What(props: { shown: Shown; wide: boolean }): VNode {
  const t = texts(words);
  const { shown: s } = props;
  switch (s.kind) {
    case "email":
      return (
        <>
          <p class="subject">
            <span class="soft">{t.subject}</span> <span lang={s.locale}>{s.subject}</span>
          </p>
          <Frame title={t.kinds.email} width={props.wide ? 600 : 320} what={{ title: s.subject ?? "", html: s.html ?? "" }} />
        </>
      );
    case "sms":
      return (
        <div class="phone">
          <p class="bubble" lang={s.locale}>
            {s.text}
          </p>
          {s.sms && (
            <p class="soft">
              {count(t.parts, s.sms.parts)} · {count(t.units, s.sms.units)}
              {s.sms.encoding === "ucs-2" && ` · ${t.ucs2}`}
            </p>
          )}
        </div>
      );
    case "page":
      return <Frame title={t.kinds.page} width={400} what={{ title: t.kinds.page, html: s.html ?? "" }} />;
    case "widget":
      return <Frame title={t.kinds.widget} width={480} what={{ popup: showOf(s.config as unknown as Config, s.locale) }} />;
  }
}

/** What the popup is told, as GET /w/{touchpoint}.json answers. */
interface Config extends Omit<Show, "locale" | "dir" | "text"> {
  texts: Record<string, Show["text"]>;
}

const rightToLeft = /^(ar|arc|ckb|dv|fa|he|khw|ks|ku|mzn|nqo|pnb|ps|sd|syr|ug|ur|yi)\b/;

function showOf(c: Config, locale: string): Show {
  return { ...c, locale, dir: rightToLeft.test(locale) ? "rtl" : "ltr", text: c.texts[locale]! };
}

/** The frame that shows it, as wide as it is said, or smaller where there is no room. */
function Frame(props: { title: string; width: number; what: Framed }): VNode {
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const hear = (e: MessageEvent) => {
      if (e.source === frame.current?.contentWindow && e.data === "ready") setReady(true);
    };
    addEventListener("message", hear);
    return () => removeEventListener("message", hear);
  }, []);
  const content = JSON.stringify(props.what);
  useEffect(() => {
    // The frame has no origin that it could be addressed by.
    if (ready) frame.current!.contentWindow!.postMessage(props.what, "*");
  }, [ready, content]);
  useLayoutEffect(() => {
    const e = frame.current!;
    const fit = () => {
      const room = e.parentElement!.clientWidth;
      const scale = Math.min(1, room / props.width);
      const height = e.parentElement!.clientHeight;
      Object.assign(e.style, { width: `${props.width}px`, height: `${height / scale}px`, transform: `scale(${scale})`, marginInlineStart: `${Math.max(0, (room - props.width) / 2)}px` });
    };
    const sizes = new ResizeObserver(fit);
    sizes.observe(e.parentElement!);
    fit();
    return () => sizes.disconnect();
  }, [props.width]);
  return (
    <div class="frame">
      <iframe ref={frame} title={props.title} src="/dashboard/frame" />
    </div>
  );
}

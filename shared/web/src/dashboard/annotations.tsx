// What happened when: marks on the time line, and what came of it.
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { change, get } from "./api.ts";
import type { Annotation, Effect, Report } from "./contract.ts";
import { Dialog, Failure, useAttempt } from "./dialog.tsx";
import { count, date, fill, texts } from "./locale.ts";
import { hidden, scoreText } from "./metric.ts";
import { hrefOf } from "./router.ts";
import { Change } from "./score.tsx";
import app from "./texts/app.json";
import words from "./texts/annotations.json";

const mostText = 200;

/** The marks of a chart in order, with what they changed. Agents add, change and remove them. */
export function Annotations(props: { report: Report; today: string; canEdit: boolean; effects: boolean }): VNode {
  const t = texts(words);
  const edited = useSignal<Annotation | "new" | null>(null);
  const { report } = props;
  const annotations = report.annotations ?? [];
  return (
    <section class="annotations" aria-labelledby="annotations-title">
      <div class="bar">
        <h3 id="annotations-title">{t.title}</h3>
        {props.canEdit && (
          <button type="button" id="annotation-add" onClick={() => (edited.value = "new")}>
            {t.add}
          </button>
        )}
      </div>
      {annotations.length === 0 ? (
        <p class="soft">{t.none}</p>
      ) : (
        <ol>
          {annotations.map((a, i) => (
            <li key={a.id}>
              <span class="number-mark" aria-hidden="true">
                {i + 1}
              </span>
              <div>
                <p>
                  <time dateTime={a.date}>{date(a.date)}</time> <span>{a.text}</span>
                  {a.touchpoint === null && <span class="soft"> {t.ofAll}</span>}
                </p>
                {props.effects && a.date <= props.today && <Came report={report} of={a} />}
              </div>
              {props.canEdit && (
                <button type="button" class="plain" aria-label={fill(t.editNamed, { text: a.text })} onClick={() => (edited.value = a)}>
                  {t.edit}
                </button>
              )}
            </li>
          ))}
        </ol>
      )}
      {edited.value && <Editor touchpoint={report.touchpoint} of={edited.value} today={props.today} done={() => (edited.value = null)} />}
    </section>
  );
}

/** What came of it: the score before and after, and whether the change is real. */
function Came(props: { report: Report; of: Annotation }): VNode {
  const t = texts(words);
  const { of } = props;
  const { touchpoint, metric: m, channel, segment } = props.report;
  const effect = useSignal<Effect | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    let over = false;
    get<Effect>(hrefOf(`/api/annotations/${encodeURIComponent(of.id)}/effect`, { touchpoint, ...(channel ? { channel } : segment ? { segment } : {}) })).then(
      (e) => {
        if (!over) effect.value = e;
      },
      () => {
        if (!over) failed.value = true;
      },
    );
    return () => {
      over = true;
    };
  }, [of.id, of.version, of.date, touchpoint, channel, segment]);
  const e = effect.value;
  if (!e) return <p class="soft came">{failed.value ? t.noEffect : " "}</p>;
  const side = (f: Effect["before"]) => (hidden(f) ? "–" : scoreText(m, f));
  return (
    <div class="came">
      <span class="soft">{fill(t.beforeAfter, { before: side(e.before), after: side(e.after), days: count(t.days, e.days) })}</span>
      <Change metric={m} difference={e.difference} since={t.change} interval />
    </div>
  );
}

/** The dialog in which a mark is written. */
function Editor(props: { touchpoint: string; of: Annotation | "new"; today: string; done: () => void }): VNode {
  const t = texts(words);
  const a = texts(app);
  const old = props.of === "new" ? null : props.of;
  const { busy, problem, attempt } = useAttempt();
  const sure = useSignal(false);
  const send = (request: () => Promise<unknown>) => void attempt(request).then((done) => done && props.done());
  const save = (form: HTMLFormElement) => {
    const f = new FormData(form);
    const value = { date: String(f.get("date")), text: String(f.get("text")).trim(), touchpoint: f.get("all") ? null : (old?.touchpoint ?? props.touchpoint) };
    send(() => (old ? change("PATCH", `/api/annotations/${encodeURIComponent(old.id)}`, { ...value, version: old.version }) : change("POST", "/api/annotations", value)));
  };
  return (
    <Dialog open title={old ? t.editTitle : t.add} onClose={props.done}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save(e.currentTarget);
        }}
      >
        <label>
          <span class="name">{t.date}</span>
          <input name="date" type="date" required min="2000-01-01" max="2199-12-31" defaultValue={old?.date ?? props.today} aria-invalid={problem?.field === "date"} />
        </label>
        <label>
          <span class="name">{t.what}</span>
          <input name="text" type="text" class="wide" required maxLength={mostText} defaultValue={old?.text ?? ""} placeholder={t.example} autoComplete="off" aria-invalid={problem?.field === "text"} />
        </label>
        <label class="tick">
          <input name="all" type="checkbox" defaultChecked={old !== null && old.touchpoint === null} />
          {t.all}
        </label>
        <Failure problem={problem} words={{ conflict: t.conflict }} />
        <div class="actions">
          {old && (
            <button type="button" class="danger" disabled={busy} onClick={() => (sure.value ? send(() => change("DELETE", `/api/annotations/${encodeURIComponent(old.id)}`)) : (sure.value = true))}>
              {sure.value ? t.sure : a.remove}
            </button>
          )}
          <button type="button" onClick={props.done}>
            {a.cancel}
          </button>
          <button type="submit" class="main" disabled={busy}>
            {a.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

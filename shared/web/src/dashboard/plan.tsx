// What a draft would do, as the API says it while one types.
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem, ask } from "./api.ts";
import type { Change, Metric, Plan } from "./contract.ts";
import type { Doc, Draft } from "./draft.ts";
import { toField } from "./fields.tsx";
import { count, fill, locale, texts } from "./locale.ts";
import { languageName } from "./metric.ts";
import { fieldName, noteText, ruleText, valueText } from "./rules.ts";
import words from "./texts/plan.json";

/** How long a draft rests before it is asked about, in milliseconds. */
const rest = 300;

/** What is known of a draft. */
export interface Planned {
  /** Of the last draft that was asked about; null for none. */
  plan: Plan | null;
  /** The definition that it is the plan of, and whether the series was to be kept. */
  of: Doc | null;
  keepSeries: boolean;
  /** Why there is no newer one. */
  problem: Problem | null;
}

const nothing: Planned = { plan: null, of: null, keepSeries: false, problem: null };

/** Asks what a definition would do. */
export function planOf(id: string, d: Draft): Promise<Plan> {
  return ask<Plan>(`/api/touchpoints/${encodeURIComponent(id)}/plan`, { definition: d.mine, keepSeries: d.keepSeries });
}

/** Keeps the plan of a draft up to date. */
export function usePlan(id: string, draft: Draft | null, version: number): [Planned, (p: Planned) => void] {
  const [planned, setPlanned] = useState<Planned>(nothing);
  useEffect(() => {
    if (!draft) {
      setPlanned(nothing);
      return;
    }
    let over = false;
    const of = { of: draft.mine, keepSeries: draft.keepSeries };
    const timer = setTimeout(() => {
      planOf(id, draft).then(
        (plan) => !over && setPlanned({ ...of, plan, problem: null }),
        (e: unknown) => !over && setPlanned((p) => ({ ...p, problem: e instanceof Problem ? e : new Problem(0, "failed", "", String(e)) })),
      );
    }, rest);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, draft?.mine, draft?.keepSeries, version]);
  return [planned, setPlanned];
}

/** Whether a change ends the series. */
export function endsSeries(c: Change): boolean {
  return c.series.from > 0 && c.series.to > c.series.from;
}

function listed(items: string[]): string {
  return new Intl.ListFormat(locale.value, { type: "conjunction" }).format(items);
}

/** Why a series ends, or would: "the question changes (Finnish)". */
export function causes(c: Change): string {
  const t = texts(words);
  return listed(c.series.why.map((w) => fill(t.causes[w.what], { languages: listed(w.locales.map(languageName)) })));
}

/** What a change does to the series, in a sentence. */
export function seriesText(c: Change): string {
  const t = texts(words);
  if (c.series.from === 0) return t.first;
  if (endsSeries(c)) return fill(t.ends, { n: c.series.to, why: causes(c) });
  return c.series.why.length > 0 ? fill(t.kept, { why: causes(c) }) : t.goesOn;
}

/** What is wrong, with the way to each field. */
export function Wrongs(props: { plan: Plan | null }): VNode | null {
  const t = texts(words);
  const problems = props.plan?.problems ?? [];
  if (problems.length === 0) return null;
  return (
    <section class="card wrongs" id="problems" tabIndex={-1} aria-labelledby="problems-title">
      <h2 id="problems-title">{count(t.problems, problems.length)}</h2>
      <ul>
        {problems.map((p, i) => {
          const { text, lang } = ruleText(p);
          return (
            <li key={i}>
              <a
                href={`#${p.field}`}
                onClick={(e) => {
                  e.preventDefault();
                  toField(p.field);
                }}
              >
                {fieldName(p.field)}
              </a>
              {": "}
              <span lang={lang}>{text}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** What changes, field by field, and what that does. */
export function PlanCard(props: { draft: Draft; planned: Planned; metric: Metric; onKeep: (keep: boolean) => void }): VNode {
  const t = texts(words);
  const { plan, problem } = props.planned;
  return (
    <section class="card part plan" aria-labelledby="plan-title">
      <h2 id="plan-title">{t.title}</h2>
      {problem && (
        <p class="note warn" role="status">
          {problem.status === 0 ? t.offline : problem.message || t.failed}
        </p>
      )}
      {!plan ? (
        <p class="soft">{t.waiting}</p>
      ) : (
        <>
          <p class={endsSeries(plan) ? "note warn" : "note"}>{seriesText(plan)}</p>
          {plan.series.why.some((w) => w.what !== "metric") && !plan.series.why.some((w) => w.what === "metric") && (
            <div class="field">
              <label class="tick">
                <input id="keep-series" type="checkbox" checked={props.draft.keepSeries} aria-describedby="keep-series-about" onChange={(e) => props.onKeep(e.currentTarget.checked)} />
                <span>{t.keep}</span>
              </label>
              <span class="hint" id="keep-series-about">
                {t.keepAbout}
              </span>
            </div>
          )}
          {plan.changes.length > 0 && (
            <ul class="changes">
              {plan.changes.map((c) => (
                <li key={c.field}>
                  <h3>{fieldName(c.field)}</h3>
                  <p>
                    <span class="soft">{t.from}</span>
                    <del>{valueText(c.field, c.from)}</del>
                  </p>
                  <p>
                    <span class="soft">{t.to}</span>
                    <ins>{valueText(c.field, c.to)}</ins>
                  </p>
                </li>
              ))}
            </ul>
          )}
          {plan.notes.length > 0 && (
            <>
              <h3>{t.notes}</h3>
              <ul>
                {plan.notes.map((n) => {
                  const { text, lang } = noteText(n);
                  return (
                    <li key={n} lang={lang}>
                      {text}
                    </li>
                  );
                })}
              </ul>
            </>
          )}
        </>
      )}
    </section>
  );
}

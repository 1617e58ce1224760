// The days that a view is about, chosen once for the overview and a touchpoint.
import { useEffect, useState } from "preact/hooks";
import type { VNode } from "preact";
import { day, fill, texts } from "./locale.ts";
import { useMe } from "./me.ts";
import { address, go, withQuery } from "./router.ts";
import words from "./texts/range.json";

/** The first day that the API answers about. */
const firstDay = "2000-01-01";
/** Months that can be chosen without a date; the first is what the API takes where none is given. */
const usual = [12, 3, 24] as const;
const shape = /^2[01]\d\d-\d{2}-\d{2}$/;

const written = (d: Date): string => (isNaN(d.getTime()) ? "" : d.toISOString().slice(0, 10));

/** The day so many days after another. */
export function daysAfter(date: string, n: number): string {
  const d = day(date);
  d.setUTCDate(d.getUTCDate() + n);
  return written(d);
}

/** The first day of the last so many months, the running one among them. */
function firstOf(months: number, today: string): string {
  const d = day(today);
  return written(new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() - months + 1, 1)));
}

/** Reports whether a text is a day that the API answers about. */
function isDay(text: string | null): text is string {
  return text !== null && shape.test(text) && daysAfter(text, 0) === text;
}

/** The days in an address, for the API: from is among them, to is not. Without to they go on to this day; without from they are the last 12 months. What is no day does not count. */
export function rangeQuery(q: URLSearchParams): { from?: string; to?: string } {
  const from = q.get("from");
  const to = q.get("to");
  return { ...(isDay(from) ? { from } : {}), ...(isDay(to) ? { to } : {}) };
}

/** The days of an address as a shared view keeps them: so many months that move on with time, or two dates. */
export function rangeToShare(q: URLSearchParams, today: string): { last: number } | { from: string; to: string } {
  const { from = firstOf(usual[0], to(q) ?? today), to: end } = rangeQuery(q);
  const months = monthsFrom(from, today);
  if (!end && from.endsWith("-01") && months <= 120) return { last: months };
  return { from, to: end ?? daysAfter(today, 1) };
}

/** The last day of an address, where it has one. */
function to(q: URLSearchParams): string | undefined {
  const end = rangeQuery(q).to;
  return end && daysAfter(end, -1);
}

function monthsFrom(from: string, today: string): number {
  const [a, b] = [day(from), day(today)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth() + 1;
}

/** The choice of days. It is kept in the address: from and to. Other days begin with their first page. */
export function Range(): VNode {
  const t = texts(words);
  const { today } = useMe();
  const q = rangeQuery(address.value.query);
  const thisYear = `${today.slice(0, 4)}-01-01`;
  const starts: [string, string][] = [...usual.map((n): [string, string] => [String(n), firstOf(n, today)]), ["year", thisYear]];
  const chosen = q.to ? "own" : !q.from ? String(usual[0]) : (starts.find(([, from]) => from === q.from)?.[0] ?? "own");
  const from = q.from ?? firstOf(usual[0], to(address.value.query) ?? today);
  const last = to(address.value.query) ?? today;

  const choose = (name: string) => {
    if (name === "own") return go(withQuery({ from, to: daysAfter(last, 1), cursor: null }));
    const start = starts.find(([n]) => n === name)!;
    go(withQuery({ from: name === String(usual[0]) ? null : start[1], to: null, cursor: null }));
  };
  return (
    <div class="range" role="group" aria-label={t.label}>
      <label>
        <span class="name">{t.label}</span>
        <select id="range" value={chosen} onChange={(e) => choose(e.currentTarget.value)}>
          <option value="3">{fill(t.months, { n: 3 })}</option>
          <option value="12">{fill(t.months, { n: 12 })}</option>
          <option value="24">{fill(t.months, { n: 24 })}</option>
          <option value="year">{t.thisYear}</option>
          <option value="own">{t.own}</option>
        </select>
      </label>
      {chosen === "own" && <OwnDays from={from} last={last} today={today} />}
    </div>
  );
}

/** Two dates. What is typed goes to the address as soon as it is a range. */
function OwnDays(props: { from: string; last: string; today: string }): VNode {
  const t = texts(words);
  const [draft, setDraft] = useState({ from: props.from, last: props.last });
  useEffect(() => setDraft({ from: props.from, last: props.last }), [props.from, props.last]);
  const latest = props.last > props.today ? props.last : props.today;
  const possible = (d: string) => d >= firstDay && d <= latest;
  const wrong = draft.from >= firstDay && draft.last >= firstDay && draft.from > draft.last;
  const set = (change: Partial<typeof draft>) => {
    const next = { ...draft, ...change };
    setDraft(next);
    if (possible(next.from) && possible(next.last) && next.from <= next.last) go(withQuery({ from: next.from, to: daysAfter(next.last, 1), cursor: null }), true);
  };
  const input = (id: string, name: string, value: string, change: (v: string) => void) => (
    <label>
      <span class="name">{name}</span>
      <input
        id={id}
        type="date"
        min={firstDay}
        max={latest}
        value={value}
        aria-invalid={wrong}
        aria-describedby={wrong ? "range-wrong" : undefined}
        onInput={(e) => change(e.currentTarget.value)}
      />
    </label>
  );
  return (
    <>
      {input("range-from", t.from, draft.from, (from) => set({ from }))}
      {input("range-last", t.last, draft.last, (last) => set({ last }))}
      {wrong && (
        <p class="wrong" id="range-wrong" role="alert">
          {t.wrong}
        </p>
      )}
    </>
  );
}

// A definition that is being written: what differs from the one in force, and
// what of it belongs together.
import { categories } from "./metric.ts";
import type { Category, Metric, Text } from "./contract.ts";

export type Doc = Record<string, unknown>;
/** Where a field is in a definition: "question.fi". */
export type Path = string;

/** A draft of a touchpoint. */
export interface Draft {
  /** Of the definition that it was made from; 0 for a new touchpoint. */
  version: number;
  base: Doc;
  mine: Doc;
  keepSeries: boolean;
}

function isDoc(v: unknown): v is Doc {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** Reports whether two values of JSON are the same. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same(v, b[i]));
  if (isDoc(a) && isDoc(b)) return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((k) => same(a[k], b[k]));
  return a === b;
}

/** The value of a field; undefined for none. */
export function at(d: Doc, path: Path): unknown {
  return path.split(".").reduce<unknown>((v, name) => (isDoc(v) ? v[name] : undefined), d);
}

/** The definition with another value of a field. undefined removes it, and what has nothing in it any more. */
export function put(d: Doc, path: Path, value: unknown): Doc {
  const [name, ...below] = path.split(".") as [string, ...string[]];
  let v = value;
  if (below.length > 0) {
    const old = d[name];
    v = put(isDoc(old) ? old : {}, below.join("."), value);
    if (Object.keys(v as Doc).length === 0) v = undefined;
  }
  if (v !== undefined) return { ...d, [name]: v };
  const { [name]: _, ...rest } = d;
  return rest;
}

/** What was changed from base to mine, changed in theirs. */
export function rebase(base: Doc, mine: Doc, theirs: Doc): Doc {
  const out: Doc = {};
  for (const k of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const [b, m, t] = [base[k], mine[k], theirs[k]];
    const v = same(b, m) ? t : isDoc(m) && isDoc(t) ? rebase(isDoc(b) ? b : {}, m, t) : m;
    if (v !== undefined) out[k] = v;
  }
  return out;
}

/** The languages of a definition. */
export function localesOf(d: Doc): string[] {
  return Array.isArray(d.locales) ? d.locales.map(String) : [];
}

/** The channels of a definition. */
export function channelsOf(d: Doc): string[] {
  return Array.isArray(d.channels) ? d.channels.map(String) : [];
}

const texts = ["name", "question", "low", "high", "thanks", "message.subject", "message.preheader", "message.opening", "message.news", "message.sms"];

/** The definition without a language, in which there are no texts then. */
export function withoutLocale(d: Doc, locale: string): Doc {
  const followups = Object.keys((d.followup ?? {}) as Doc).map((c) => `followup.${c}`);
  const out = [...texts, ...followups].reduce((doc, path) => (at(doc, `${path}.${locale}`) === undefined ? doc : put(doc, `${path}.${locale}`, undefined)), d);
  return put(out, "locales", localesOf(d).filter((l) => l !== locale));
}

/** The categories in the order of their happiness, of either kind of metric. */
const kinds: Category[][] = [
  ["promoter", "passive", "detractor"],
  ["satisfied", "neutral", "dissatisfied"],
];

/** The definition with another metric: the follow-up questions go to those who correspond, and what only the old metric has is left out. */
export function withMetric(d: Doc, metric: Metric): Doc {
  const old = (d.followup ?? {}) as Partial<Record<Category, Text>>;
  const followup: Doc = {};
  for (const c of categories(metric)) {
    const i = kinds.find((k) => k.includes(c))!.indexOf(c);
    const words = kinds.map((k) => old[k[i]!]).find(Boolean);
    if (words) followup[c] = words;
  }
  let out = put(d, "metric", metric);
  if (d.followup) out = put(out, "followup", Object.keys(followup).length > 0 ? followup : undefined);
  return metric === "csat" || at(out, "widget.shape") === undefined ? out : put(out, "widget.shape", undefined);
}

const key = (id: string) => `pulssi.draft.${id}`;

/** The draft of a touchpoint that this tab of the browser keeps; null for none. */
export function kept(id: string): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(key(id)) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

/** Keeps a draft, or forgets it where it is null. */
export function keep(id: string, d: Draft | null): void {
  if (d) sessionStorage.setItem(key(id), JSON.stringify(d));
  else sessionStorage.removeItem(key(id));
}

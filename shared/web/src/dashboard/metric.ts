// What the metrics are: their scales, and how their scores are written.
import type { Category, Figures, Metric, Text } from "./contract.ts";
import { locale, number, own, shown, texts } from "./locale.ts";
import words from "./texts/metric.json";

const top: Record<Metric, Category[]> = {
  nps: [..."0123456"].map<Category>(() => "detractor").concat("passive", "passive", "promoter", "promoter"),
  csat: ["dissatisfied", "dissatisfied", "neutral", "satisfied", "satisfied"],
  ces: ["dissatisfied", "dissatisfied", "dissatisfied", "neutral", "satisfied", "satisfied", "satisfied"],
  ces5: ["satisfied", "satisfied", "neutral", "dissatisfied", "dissatisfied"],
  smiley: ["dissatisfied", "dissatisfied", "satisfied", "satisfied"],
  thumbs: ["dissatisfied", "satisfied"],
};
const lowest = (m: Metric) => (m === "nps" || m === "thumbs" ? 0 : 1);

/** The answers of a metric, from the lowest. */
export function answers(m: Metric): number[] {
  return top[m].map((_, i) => i + lowest(m));
}

/** What an answer says about who gave it. */
export function categoryOf(m: Metric, answer: number): Category {
  return top[m][answer - lowest(m)]!;
}

/** The categories of a metric, from the happiest on. */
export function categories(m: Metric): Category[] {
  const all: Category[] = m === "nps" ? ["promoter", "passive", "detractor"] : ["satisfied", "neutral", "dissatisfied"];
  return all.filter((c) => top[m].includes(c));
}

/** The colour of a category, a name in style.css. */
export function tone(c: Category): "good" | "mid" | "bad" {
  return c === "promoter" || c === "satisfied" ? "good" : c === "passive" || c === "neutral" ? "mid" : "bad";
}

/** The least and the most that a score can be. */
export function bounds(m: Metric): [number, number] {
  if (m === "nps") return [-100, 100];
  return m === "ces" ? [1, 7] : m === "ces5" ? [1, 5] : [0, 100];
}

const mean = (m: Metric) => m === "ces" || m === "ces5";
const share = (m: Metric) => m === "csat" || m === "smiley" || m === "thumbs";

/** The people of a category, in words that suit the metric. */
export function categoryName(m: Metric, c: Category): string {
  return named(m, c, texts(words).categories);
}

/** One of the people of a category. */
export function memberName(m: Metric, c: Category): string {
  return named(m, c, texts(words).one);
}

function named(m: Metric, c: Category, people: Record<Category, string>): string {
  const t = texts(words);
  if (mean(m)) return t.effort[c as keyof typeof t.effort];
  if (m === "thumbs") return t.thumbs[c as keyof typeof t.thumbs];
  return people[c];
}

/** A score as people read it, with its unit. */
export function scoreText(m: Metric, f: Figures): string {
  return f.score === null ? shown(f.shown) : withUnit(m, shown(f.shown));
}

/** A number of a score's kind that the API gives: a goal, a limit. */
export function valueText(m: Metric, n: number): string {
  return withUnit(m, shown(String(n)));
}

function withUnit(m: Metric, s: string): string {
  if (!share(m)) return s;
  return locale.value === "en" ? `${s}%` : `${s}\u00a0%`;
}

/** A margin: ± 21,6. Null where there is none. */
export function marginText(m: Metric, f: Figures): string | null {
  return f.margin === null ? null : `±\u00a0${number(f.margin, mean(m) ? 2 : 1)}`;
}

/** A change of a score, with its sign: +4,1. */
export function changeText(m: Metric, n: number): string {
  const s = shown(n.toFixed(mean(m) ? 2 : 1));
  return n > 0 ? `+${s}` : s;
}

/** A distance from a goal, with its sign; without where lower is better, for there a sign reads the wrong way. */
export function distanceText(m: Metric, n: number): string {
  return m === "ces5" ? changeText(m, n).replace(/^[+−]/, "") : changeText(m, n);
}

/** The name of a channel. */
export function channelName(channel: string): string {
  const t = texts(words).channels;
  return t[channel as keyof typeof t] ?? channel;
}

/** The name of a language. */
export function languageName(l: string): string {
  const t = texts(words).languages;
  return t[l as keyof typeof t] ?? l;
}

/** A touchpoint's own text in the page's language, or in the first that the touchpoint has. */
export function ownIn(entry: { locales: string[] }, text: Text): string {
  return own(text, entry.locales);
}

/** Whether figures are hidden, as few answers are in views that are shared by a link. */
export function hidden(f: Figures): boolean {
  return "hidden" in f && f.hidden === true;
}

// What the API says of a definition, in the language of the page. Its own words
// are English: what is not known here is shown in those.
import type { Category } from "./contract.ts";
import type { Path } from "./draft.ts";
import { date, fill, locale, number, texts } from "./locale.ts";
import { categoryName, channelName, languageName } from "./metric.ts";
import names from "./texts/fieldnames.json";
import words from "./texts/rules.json";

/** A rule that a field breaks. */
export interface Broken {
  field: Path;
  message: string;
}

/** A text, and its language where that is not the page's. */
export interface Said {
  text: string;
  lang?: string;
}

type Rule = keyof (typeof words)["en"]["rules"];

/** The rules, as their messages end. The first that fits is told. */
const rules: [RegExp, Rule][] = [
  [/ must be at most (?<n>\d+) characters$/, "characters"],
  [/ must be 1 to (?<n>\d+) characters$/, "characters"],
  [/ must not be empty$/, "blank"],
  [/ must not contain control characters$/, "control"],
  [/ must have a text in at least one of /, "oneText"],
  [/ is in a language that locales does not list$/, "unlisted"],
  [/ must be from (?<low>\S+) to (?<high>\S+?)( for .*)?$/, "range"],
  [/ must be per cent, from 0 to 100$/, "percent"],
  [/ must be a whole number$/, "whole"],
  [/ must be a number$/, "number"],
  [/ is not a time span: /, "span"],
  [/^channels must name at least one of /, "channel"],
  [/ must name from 1 to (?<n>\d+) languages$/, "languages"],
  [/ must be a language such as /, "language"],
  [/ must not repeat (?<what>".*")$/, "repeat"],
  [/ must be https:\/\/host .* not (?<what>".*")$/, "origin"],
  [/ is not a category of /, "category"],
  [/ must list at least one value$/, "values"],
  [/ must be made of 1 to (?<n>\d+) letters, .* not (?<what>".*")$/, "segment"],
  [/ must have at most (?<n>\d+) values together$/, "most"],
  [/ must be at most (?<n>\d+)( values| conditions)?$/, "most"],
  [/ must be at most (?<n>\d+)d$/, "days"],
  [/ must have either event or every$/, "trigger"],
  [/ must be a day such as /, "day"],
  [/ needs email or sms among channels$/, "messages"],
  [/ needs sms among channels$/, "sms"],
  [/ needs widget among channels$/, "widget"],
  [/ must start with \/ or \* .* not (?<what>".*")$/, "pattern"],
  [/ must not be negative$/, "negative"],
  [/ must name an element exactly where /, "target"],
  [/ must be written as #rrggbb$/, "color"],
  [/ must be stars or faces, /, "shape"],
  [/ must be an https address of at most (?<n>\d+) characters$/, "address"],
  [/ must name only (?<known>\{.*\}), not (?<what>\{.*\})$/, "variables"],
  [/^the SMS in (?<language>\S+) takes (?<parts>\d+) parts .* at most (?<n>\d+) are sent/, "parts"],
  [/^keepSeries must not be set/, "keep"],
];

/** What a rule says in the page's language. */
export function ruleText(p: Broken): Said {
  const t = texts(words).rules;
  for (const [pattern, rule] of rules) {
    const m = pattern.exec(p.message);
    if (!m) continue;
    const groups = m.groups ?? {};
    const number = (s?: string) => s?.replace("-", "−") ?? "";
    return { text: fill(t[rule], { ...groups, low: number(groups.low), high: number(groups.high), language: languageName(groups.language ?? "") }) };
  }
  return { text: p.message, lang: "en" };
}

type Name = keyof (typeof names)["en"];

/** What a field is called in the form: "Question (Finnish)". */
export function fieldName(path: Path): string {
  const t = texts(names);
  const parts = path.replace(/\[.*$/, "").split(".");
  for (let n = parts.length; n > 0; n--) {
    const name = t[parts.slice(0, n).join(".") as Name];
    if (!name) continue;
    const rest = parts.slice(n).map((p) => (p in categoryOrder ? categoryName("nps", p as Category) : languageName(p)));
    return rest.length > 0 ? `${name} (${rest.join(", ")})` : name;
  }
  return path;
}

const categoryOrder = { promoter: 0, passive: 1, detractor: 2, satisfied: 3, neutral: 4, dissatisfied: 5 };

/** A day of the week, mon to sun. */
export function weekday(d: string): string {
  const i = weekdays.indexOf(d);
  return date(`2024-01-0${i + 1}`, { weekday: "short" });
}

/** As definitions name them. 1 January 2024 was a Monday. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** A business event. */
export function eventName(type: string): string {
  const t = texts(words).events;
  return t[type as keyof typeof t] ?? type;
}

/** A length of time as people read it: 7 days. */
export function spanText(s: string): string {
  const m = /^(\d+)([smhd])$/.exec(s);
  if (!m) return s;
  const unit = ({ s: "second", m: "minute", h: "hour", d: "day" } as const)[m[2] as "s" | "m" | "h" | "d"];
  return new Intl.NumberFormat(locale.value, { style: "unit", unit, unitDisplay: "long" }).format(Number(m[1]));
}

const spans = new Set(["recontact", "rest", "trigger.delay", "trigger.reminder", "widget.delay", "widget.recontact", "widget.dismissed"]);

/** A value of a definition as the form shows it; JSON where it is not one that the form knows. */
export function valueText(path: Path, json: string): string {
  const t = texts(words);
  if (json === "") return t.none;
  let v: unknown;
  try {
    v = JSON.parse(json);
  } catch {
    return json;
  }
  const named = (s: unknown): string => {
    const value = String(s);
    const group = t.values[path as keyof typeof t.values] as Record<string, string> | undefined;
    if (group?.[value]) return group[value];
    if (path === "channels") return channelName(value);
    if (path === "locales") return languageName(value);
    if (path === "trigger.weekdays") return weekday(value);
    if (path === "trigger.event") return eventName(value);
    return spans.has(path) ? spanText(value) : value;
  };
  if (typeof v === "boolean") return v ? t.yes : t.no;
  if (typeof v === "number") return number(v, Number.isInteger(v) ? 0 : 1);
  if (typeof v === "string") return named(v);
  if (Array.isArray(v) && v.every((e) => typeof e !== "object")) return v.map(named).join(", ");
  return json;
}

type Note = keyof (typeof words)["en"]["notes"];

const notes: [RegExp, Note][] = [
  [/^turns move from (?<was>every .*?\)) to (?<now>every .*?\)), from now on: those that are past in (?<period>\S+) are left out$/, "otherTurns"],
  [/^turns move from (?<was>every .*?\)) to (?<now>every .*?\)); in (?<period>\S+) /, "turnsMove"],
  [/^turns begin: (?<now>every .*?\)), from now on; those that are past in (?<period>\S+) are left out$/, "turnsBegin"],
  [/^turns end: /, "turnsEnd"],
  [/^nobody is asked after (?<event>\S+) any more/, "noEvent"],
  [/^nobody is asked from now on/, "stopped"],
  [/^asking goes on/, "goesOn"],
  [/^(?<hour>\d+) is a quiet hour: asks are sent at (?<later>\d+)$/, "quiet"],
  [/^a recontact or rest of more than (?<span>\S+) takes turns away/, "fewer"],
];

/** What a change does to those who are asked. */
export function noteText(note: string): Said {
  const t = texts(words).notes;
  for (const [pattern, name] of notes) {
    const m = pattern.exec(note);
    if (!m) continue;
    const g = m.groups ?? {};
    return {
      text: fill(t[name], { ...g, event: eventName(g.event ?? ""), was: cadenceText(g.was ?? ""), now: cadenceText(g.now ?? ""), span: spanText(g.span ?? "") }),
    };
  }
  return { text: note, lang: "en" };
}

/** When a cadence asks, from the words of the API. */
function cadenceText(s: string): string {
  const t = texts(words);
  const m = /^every (?<every>\w+) \((?<who>in turns|everyone on (?<on>.+?)), (?<days>[A-Za-z ]*), at (?<hour>\d+)\)$/.exec(s);
  if (!m) return s;
  const g = m.groups!;
  const who = g.who === "in turns" ? t.inTurns : g.on === "its first day" ? t.onFirstDay : fill(t.onDay, { day: g.on! });
  const every = t.values["trigger.every"][g.every as "month"] ?? g.every!;
  const days = g.days!.split(" ").map((d) => weekday(d.toLowerCase())).join(" ");
  return fill(t.cadence, { every: every.toLowerCase(), who, days, hour: g.hour! });
}

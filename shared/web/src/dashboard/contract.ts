// What the API answers, as functions/results/openapi.yaml has it. Dates are
// days of the reporting zone, "2026-11-21"; moments are UTC, RFC 3339. Numbers
// come rounded as they are shown: the page never computes a score itself.

export type Metric = "nps" | "csat" | "ces" | "ces5" | "smiley" | "thumbs";
export type Phase = "before" | "during" | "after" | "leaving";
export type Channel = "email" | "sms" | "widget" | "link" | string;
export type Category = "promoter" | "passive" | "detractor" | "satisfied" | "neutral" | "dissatisfied";
export type Unit = "day" | "week" | "month" | "quarter" | "year";
export type Role = "viewer" | "agent" | "admin";
export type Locale = "fi" | "sv" | "en";
export type Text = Record<string, string>;

/** GET /dashboard/config.json, which needs no sign-in. */
export interface Config {
  /** Where one signs in: /oauth2/authorize, /oauth2/token and /logout are below it (Amazon Cognito, user pool endpoints). */
  signin: string;
  client: string;
  scope: string;
}

/** GET /api/me */
export interface Me {
  id: string;
  role: Role | "";
  /** Null for all. */
  touchpoints: string[] | null;
  segments: string[] | null;
  zone: string;
  today: string;
  /** Generated answers are among the counted ones. */
  demo: boolean;
}

export interface TouchpointEntry {
  id: string;
  metric: Metric;
  series: number;
  phase: Phase;
  channels: Channel[];
  name: Text;
  question: Text;
  locales: string[];
  goal: number | null;
  /** Nobody is asked for now, but on the website and by links. */
  stopped: boolean;
}

/** The numbers of some answers: of a period, a channel, a segment. */
export interface Figures {
  n: number;
  score: number | null;
  margin: number | null;
  low: number | null;
  high: number | null;
  shown: string;
  beside: number | null;
  tooFew: boolean;
  verdict: "" | "met" | "missed" | "too_few";
  /** Score minus goal, so that more is better (turned for ces5); null without a goal or a score. */
  distance: number | null;
  counts: Record<string, number>;
  categories: Partial<Record<Category, number>>;
  suspect: number;
  sent: number;
  delivered: number;
  bounced: number;
  answered: number;
  confirmed: number;
  rates: { answeredOfSent: number | null; answeredOfDelivered: number | null; confirmedOfDelivered: number | null };
}

export interface Period extends Figures {
  from: string;
  to: string;
}

/** One score against another. */
export interface Difference {
  change: number;
  low: number;
  high: number;
  p: number;
  /** Where several are looked at together, after Holm's correction. */
  verdict: "real" | "noise" | "too_few";
  /** Whether the change is for the better (ces5: lower); null for none. */
  better: boolean | null;
}

export interface Group extends Figures {
  name: string;
  /** Against all other answers of the range, those of all segments (channels) judged together; null where one side has no answer or the reader may not see the others. */
  difference: Difference | null;
}

/** An ended series of answers, within the range: never joined with another. */
export interface EarlierSeries {
  series: number;
  metric: Metric;
  question: Text;
  periods: Period[];
}

/** GET /api/results/{touchpoint}?from&to&by&series&channel&segment&include
 * include: a list by comma of lastYear, previous, channels, segments, earlier, annotations. What is not asked for is not there. */
export interface Report {
  touchpoint: string;
  metric: Metric;
  series: number;
  zone: string;
  goal: number | null;
  by: Unit;
  channel?: string;
  segment?: string;
  periods: Period[];
  total: Period;
  /** The same periods a year before, one for each of periods, of the same series. */
  lastYear?: { periods: Period[]; total: Period; difference: Difference | null };
  /** The span of the same length just before the range (a calendar one where the range is one), and the total against it. */
  previous?: { total: Period; difference: Difference | null };
  /** Those that deserve attention first: what is really worse, what is worse, by n. */
  channels?: Group[];
  segments?: Group[];
  /** Oldest first. */
  earlier?: EarlierSeries[];
  annotations?: Annotation[];
}

/** GET /api/overview?from&to&segment: from and to as for results; scores by month. */
export interface Overview {
  from: string;
  to: string;
  zone: string;
  segment?: string;
  /** By phase in order, then by id. */
  touchpoints: OverviewEntry[];
}

export interface OverviewEntry extends TouchpointEntry {
  total: Period;
  /** By month, of the whole range. */
  trend: Period[];
  /** The last whole three months against the three before; judged together over all touchpoints (Holm). */
  recent: { now: Period; before: Period; difference: Difference | null };
}

/** GET /api/compare/{touchpoint}?from&to&channel&segment&withFrom&withTo&withChannel&withSegment */
export interface Comparison {
  touchpoint: string;
  metric: Metric;
  series: number;
  first: Period;
  second: Period;
  /** From the first to the second; null where either has no answer. */
  difference: Difference | null;
}

/** GET /api/responses?touchpoint&from&to&category&score&channel&segment&locale&q&cursor&limit
 * Answers with words, the newest first. touchpoint left out: of all. q: words, all of which must be in the comment, in any inflection. */
export interface Responses {
  responses: Response_[];
  /** Of the next page; null at the end. A page may have fewer than limit, even none, before the end. */
  cursor: string | null;
  /** How far back has been looked, a day. */
  searched: string;
}

export interface Response_ {
  /** Not the ask's id, with which one could answer it. */
  key: string;
  touchpoint: string;
  series: number;
  metric: Metric;
  score: number;
  category: Category;
  comment: string;
  channel: Channel;
  locale: string;
  segments: string[];
  answeredAt: string;
  editedAt: string | null;
  confirmed: boolean;
  /** For agents; null for others, and where there is none. */
  contact: string | null;
  page: string;
  ref: string;
}

/** GET /api/themes/{touchpoint}?from&to&channel&segment&locale */
export interface Themes {
  touchpoint: string;
  from: string;
  to: string;
  /** Comments that were read, by locale. */
  comments: number;
  locales: Record<string, number>;
  /** False where there were more than could be read; then since is how far back it goes. */
  complete: boolean;
  since: string;
  /** What sets the unhappy apart from the happy, most telling first. */
  unhappy: Theme[];
  happy: Theme[];
  /** What is written more in the later half of the range than in the earlier. */
  rising: Theme[];
}

export interface Theme {
  /** The word or two as most people write it, e.g. "toimitus". */
  words: string;
  locale: string;
  /** To search for it: q of /api/responses. */
  q: string;
  /** How many comments have it: of the unhappy (or later), and of the happy (or earlier), and of how many. */
  in: number;
  of: number;
  against: number;
  againstOf: number;
  /** Log-likelihood G2 (Dunning 1993); over 10.83 is p < 0.001. */
  keyness: number;
  /** One comment that has it. */
  example: string;
}

export interface Annotation {
  id: string;
  /** Null for all touchpoints. */
  touchpoint: string | null;
  date: string;
  text: string;
  by: string;
  at: string;
  version: number;
}

/** GET /api/annotations?touchpoint; POST /api/annotations; PATCH, DELETE /api/annotations/{id} */
export interface Annotations {
  annotations: Annotation[];
}

/** GET /api/annotations/{id}/effect?touchpoint&days&channel&segment: as many days before the date as from it on. */
export interface Effect {
  annotation: Annotation;
  touchpoint: string;
  metric: Metric;
  /** The current one, of which alone the answers are: days before it began have none. */
  series: number;
  channel?: string;
  segment?: string;
  /** On either side: fewer than asked for where the date is not so long ago. */
  days: number;
  before: Period;
  after: Period;
  difference: Difference | null;
}

/** What a shared view shows. Ranges move on with time where last is given. */
export interface View {
  page: "overview" | "touchpoint";
  touchpoint?: string;
  /** Either the last so many months (1 to 120), or from and to. */
  last?: number;
  from?: string;
  to?: string;
  by?: Unit;
  channel?: string;
  segment?: string;
}

/** POST /api/shares {name, view, comments, expires}: 201, with key and path, which are told this once. GET /api/shares; DELETE /api/shares/{id}. */
export interface Share {
  id: string;
  name: string;
  view: View;
  comments: boolean;
  /** The last day it can be opened; null for no end. */
  expires: string | null;
  by: string;
  at: string;
}
export interface NewShare extends Share {
  key: string;
  /** "/s/" and the key. */
  path: string;
}
export interface Shares {
  shares: Share[];
}

/** GET /shared/{key}, which needs no sign-in. Figures with fewer than 5 answers are hidden: n is null there, and everything counted from it null or empty, hidden is true; and so are others from which they could be worked out. Where asks alone are hidden, sent to confirmed and the rates are null. No answers are 0, which is no secret. The report has no previous, lastYear for a year at most, and channels and segments only where neither is asked for; annotations do not tell by whom. */
export interface SharedView {
  name: string;
  view: View;
  zone: string;
  today: string;
  expires: string | null;
  touchpoint?: TouchpointEntry;
  overview?: Overview;
  report?: Report;
  comments?: { touchpoint: string; score: number; category: Category; comment: string; answeredAt: string; channel: Channel }[];
}

/** GET /api/export/{touchpoint}?what=scores|comments&format=csv|xlsx&separator=comma|semicolon (with decimal commas, as Excel expects in Finland and Sweden) and the parameters of results or responses: a file. CSV of comments comes in parts: header Link rel="next". */

/** GET /api/contacts, GET /api/contacts/{id}, GET /api/contacts/{id}/why: as in openapi.yaml. */

/** GET /api/touchpoints/{touchpoint}: the whole definition, as scripts/apply reads it, without version and series. */
export interface Definition {
  version: number;
  definition: Record<string, unknown>;
}

/** What a change does. */
export interface Change {
  /** Field by field, by path ("question.fi"); from and to as JSON, "" for none. None of a new touchpoint. */
  changes: { field: string; from: string; to: string }[];
  /** from is 0 for a new touchpoint. why is what ends a series, also where keepSeries keeps it; locales are of the question. words are all of why in English. */
  series: { from: number; to: number; why: { what: "metric" | "question" | "language"; locales: string[] }[]; words: string };
  /** What it does to those who are asked, in English; none where there are problems. */
  notes: string[];
}

/** POST /api/touchpoints/{touchpoint}/plan {definition, keepSeries}, for admins. */
export interface Plan extends Change {
  /** All at once, at most 100; field by its path in the definition, or keepSeries. */
  problems: { field: string; message: string }[];
}

/** PUT /api/touchpoints/{touchpoint} {version, definition, keepSeries}, for admins: 200, or 201 for a new one (version 0); 409 where version is not in force any more. */
export interface Changed extends Definition, Change {}

/** POST /api/touchpoints/{touchpoint}/preview {kind, locale, definition, firstName, about, reminder, score}. A definition that is not in force is for admins. */
export interface Preview {
  kind: "email" | "sms" | "page" | "widget";
  locale: string;
  /** Of email. */
  subject?: string;
  /** Of email and page: for a sandboxed frame. */
  html?: string;
  /** Of email and sms. */
  text?: string;
  /** What the SMS takes where its link is as long as one may be. */
  sms?: { parts: number; units: number; encoding: "gsm-7" | "ucs-2"; reply: boolean };
  /** Of widget: what GET /w/{touchpoint}.json answers. */
  config?: Record<string, unknown>;
}

/** GET /api/audit?from&to&action&subject&cursor, for admins: the newest first, 50 at most; go on until cursor is null. A subject is the id of a touchpoint, annotation, share or contact, or the name of a queue. */
export interface AuditLog {
  entries: AuditEntry[];
  cursor: string | null;
}
export interface AuditEntry {
  id: string;
  at: string;
  who: string;
  role: "viewer" | "agent" | "admin" | "operator";
  action: keyof (typeof import("./texts/audit.json"))["en"]["actions"];
  /** null for none; of a contact a hash of its id. */
  subject: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  /** Begun is done, unless another entry is of it and failed. */
  outcome: "begun" | "failed";
  of: string | null;
}

export interface ApiError {
  error: { code: string; field?: string; message: string };
}

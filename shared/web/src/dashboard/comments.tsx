// What customers wrote, the newest first, beside the numbers.
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, Problem, useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import type { Metric, Response_, Responses } from "./contract.ts";
import { count, date, fill, moment, number, texts } from "./locale.ts";
import { answers, categories, categoryName, categoryOf, channelName, languageName, memberName, tone } from "./metric.ts";
import { Bone, problemText, Trouble } from "./parts.tsx";
import { rangeQuery } from "./range.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import app from "./texts/app.json";
import words from "./texts/comments.json";

/** How many are asked for at a time, and shown before one is asked whether to go on. */
const page = 30;
/** How long one has to pause for what is typed to be searched for, in milliseconds. */
const pause = 700;
const filters = ["category", "score", "channel", "segment", "locale", "q"] as const;

function path(touchpoint: string): string {
  const q = address.value.query;
  const wanted: Record<string, string> = { touchpoint, ...rangeQuery(q), limit: String(page) };
  for (const name of filters) {
    const value = q.get(name);
    if (value) wanted[name] = value;
  }
  return hrefOf("/api/responses", wanted);
}

interface Feed {
  path: string;
  list: Response_[];
  /** Newer ones, which are not shown before somebody asks for them. */
  newer: Response_[];
  cursor: string | null;
  searched: string;
}

const nothing: Feed = { path: "", list: [], newer: [], cursor: null, searched: "" };

/** The comments of a touchpoint, as the address filters them; without segments there are none to choose among. */
export function Comments(props: { touchpoint: string; metric: Metric; zone: string; channels: string[]; segments: string[] | null }): VNode {
  const t = texts(words);
  const a = texts(app);
  const wanted = path(props.touchpoint);
  const live = useLive<Responses>(() => path(props.touchpoint));
  const feed = useSignal<Feed>(nothing);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const stopped = useRef(false);
  const { data, of: answered, problem: trouble } = live.value;

  useEffect(() => {
    if (!data || answered !== wanted) return;
    const now = feed.peek();
    if (now.path !== wanted) {
      busy.value = false;
      feed.value = { path: wanted, list: data.responses, newer: [], cursor: data.cursor, searched: data.searched };
      if (data.responses.length < page) void more(page - data.responses.length);
      return;
    }
    // What is there already is kept in its place, in its newest wording.
    const fresh = new Map(data.responses.map((r) => [r.key, r]));
    const known = new Set(now.list.map((r) => r.key));
    const newest = now.list[0]?.answeredAt ?? "";
    feed.value = { ...now, list: now.list.map((r) => fresh.get(r.key) ?? r), newer: data.responses.filter((r) => !known.has(r.key) && r.answeredAt >= newest) };
  }, [data, answered, wanted]);

  useEffect(
    () => () => {
      stopped.current = true;
    },
    [wanted],
  );

  /** Reads on, page by page, until so many were found, the end is reached or somebody stops it. */
  const more = async (least: number) => {
    const of = feed.peek().path;
    stopped.current = false;
    busy.value = true;
    problem.value = null;
    let found = 0;
    try {
      while (found < least && !stopped.current) {
        const { cursor } = feed.peek();
        if (cursor === null) break;
        const next = await get<Responses>(`${of}&cursor=${encodeURIComponent(cursor)}`);
        const now = feed.peek();
        if (now.path !== of) return;
        found += next.responses.length;
        feed.value = { ...now, list: [...now.list, ...next.responses], cursor: next.cursor, searched: next.searched };
      }
    } catch (e) {
      if (feed.peek().path === of) problem.value = e instanceof Problem ? e : new Problem(0, "failed", "", String(e));
    } finally {
      if (feed.peek().path === of) busy.value = false;
    }
  };

  const top = useRef<HTMLOListElement>(null);
  const showNewer = () => {
    const now = feed.peek();
    // Where there are more new ones than a page has, the list begins anew: nothing may be missing between.
    const whole = data && now.newer.length === data.responses.length && data.cursor !== null;
    feed.value = whole ? { path: now.path, list: data.responses, newer: [], cursor: data.cursor, searched: data.searched } : { ...now, list: [...now.newer, ...now.list], newer: [] };
    top.current?.focus();
  };

  const { list, newer, cursor, searched } = feed.value;
  const first = feed.value.path === "";
  const waiting = !first && feed.value.path !== wanted;
  const some = filters.some((name) => address.value.query.get(name));
  return (
    <div class="comments">
      <Filters metric={props.metric} channels={props.channels} segments={props.segments} />
      {first && trouble && !data ? (
        trouble.status === 400 ? <p class="note warn" role="alert">{problemText(trouble)}</p> : <Trouble problem={trouble} />
      ) : first ? (
        <div class="waiting" aria-busy="true">
          <span class="unseen" role="status">
            {a.loading}
          </span>
          {[0, 1, 2, 3, 4].map((i) => (
            <Bone key={i} height="7rem" />
          ))}
        </div>
      ) : (
        <>
          <div class="newer" role="status">
            {newer.length > 0 && (
              <button type="button" class="main" onClick={showNewer}>
                {count(t.newer, newer.length)}
              </button>
            )}
          </div>
          <ol class={waiting ? "feed stale" : "feed"} ref={top} tabIndex={-1} aria-label={t.list} aria-busy={waiting}>
            {list.map((r) => (
              <Comment key={r.key} of={r} zone={props.zone} />
            ))}
          </ol>
          {waiting && trouble && <p class="note warn" role="alert">{problemText(trouble)}</p>}
          {list.length === 0 && cursor === null && !waiting && (
            <div class="nothing">
              <p>{some ? t.nothingFound : t.nothing}</p>
              {some && (
                <button type="button" onClick={() => go(withQuery(Object.fromEntries(filters.map((f) => [f, null]))))}>
                  {t.clearAll}
                </button>
              )}
            </div>
          )}
          {problem.value && <p class="note warn" role="alert">{problemText(problem.value)}</p>}
          {cursor !== null && !waiting && (
            <div class="further">
              <p class="soft" role="status">
                {fill(busy.value ? t.searching : t.searched, { date: date(searched), n: number(list.length) })}
              </p>
              {busy.value ? (
                <button type="button" onClick={() => (stopped.current = true)}>
                  {t.stop}
                </button>
              ) : (
                <button type="button" onClick={() => void more(page)}>
                  {a.more}
                </button>
              )}
            </div>
          )}
          {cursor === null && list.length > 0 && <p class="soft">{fill(t.end, { n: number(list.length) })}</p>}
        </>
      )}
    </div>
  );
}

function Comment(props: { of: Response_; zone: string }): VNode {
  const t = texts(words);
  const r = props.of;
  const what = [channelName(r.channel), languageName(r.locale), ...r.segments.map(segmentName)].filter(Boolean);
  return (
    <li class="comment">
      <p class="given">
        <span class={`badge ${tone(r.category)}`}>{number(r.score)}</span>
        <span>{memberName(r.metric, r.category)}</span>
        <time dateTime={r.answeredAt}>{moment(r.answeredAt, props.zone)}</time>
      </p>
      <p class="words" lang={r.locale} dir="auto">
        {r.comment}
      </p>
      <p class="soft">
        {what.join(" · ")}
        {r.editedAt && ` · ${fill(t.edited, { at: moment(r.editedAt, props.zone) })}`}
        {r.contact && (
          <>
            {" · "}
            <a href={`/dashboard/people/${encodeURIComponent(r.contact)}`}>{t.person}</a>
          </>
        )}
      </p>
    </li>
  );
}

/** The filters of the list, all of which are in the address. */
function Filters(props: { metric: Metric; channels: string[]; segments: string[] | null }): VNode {
  const t = texts(words);
  const { metric: m } = props;
  const q = address.value.query;
  const value = (name: string) => q.get(name) ?? "";
  const set = (changes: Record<string, string | null>) => go(withQuery(changes));
  const typed = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const search = () => {
    clearTimeout(timer.current);
    const text = typed.current?.value.trim() ?? "";
    if (text !== value("q")) go(withQuery({ q: text }), true);
  };
  useEffect(() => {
    if (typed.current && typed.current !== document.activeElement) typed.current.value = value("q");
  }, [q.get("q")]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const choice = (name: string, label: string, options: [string, string][], clears: Record<string, null> = {}) => (
    <label>
      <span class="unseen">{label}</span>
      <select id={`filter-${name}`} value={value(name)} onChange={(e) => set({ ...clears, [name]: e.currentTarget.value })}>
        <option value="">{label}</option>
        {options.some(([v]) => v === value(name)) || value(name) === "" ? null : <option value={value(name)}>{value(name)}</option>}
        {options.map(([v, text]) => (
          <option key={v} value={v}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const chips: [string, string][] = [];
  if (value("category")) chips.push(["category", categories(m).includes(value("category") as never) ? categoryName(m, value("category") as never) : value("category")]);
  if (value("score")) chips.push(["score", fill(t.scoreIs, { score: value("score") })]);
  if (value("channel")) chips.push(["channel", channelName(value("channel"))]);
  if (value("segment")) chips.push(["segment", segmentName(value("segment"))]);
  if (value("locale")) chips.push(["locale", languageName(value("locale"))]);
  if (value("q")) chips.push(["q", fill(t.quoted, { q: value("q") })]);
  return (
    <form
      class="filters"
      role="search"
      aria-label={t.filters}
      onSubmit={(e) => {
        e.preventDefault();
        search();
      }}
    >
      <label class="search">
        <span class="unseen">{t.search}</span>
        <input
          id="search"
          type="search"
          ref={typed}
          defaultValue={value("q")}
          maxLength={100}
          placeholder={t.search}
          autoComplete="off"
          onInput={() => {
            clearTimeout(timer.current);
            timer.current = window.setTimeout(search, pause);
          }}
        />
      </label>
      <div class="choose">
        {choice("category", t.category, categories(m).map((c) => [c, categoryName(m, c)]), { score: null })}
        {choice("score", t.score, answers(m).map((n) => [String(n), m === "thumbs" ? categoryName(m, categoryOf(m, n)) : number(n)]), { category: null })}
        {props.channels.length > 0 && choice("channel", t.channel, props.channels.map((c) => [c, channelName(c)]), { segment: null })}
        {props.segments && choice("segment", t.segment, [...props.segments].sort().map((s) => [s, segmentName(s)]), { channel: null })}
        {choice("locale", t.language, ["fi", "sv", "en"].map((l) => [l, languageName(l)]))}
      </div>
      {chips.length > 0 && (
        <ul class="chips" aria-label={t.chosen}>
          {chips.map(([name, text]) => (
            <li key={name}>
              <button type="button" aria-label={fill(t.without, { filter: text })} onClick={() => set({ [name]: null })}>
                {text} <span aria-hidden="true">✕</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}

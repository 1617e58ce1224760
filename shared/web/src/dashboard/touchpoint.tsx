// One touchpoint: how it stands, how it got there, and why.
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useLive } from "./api.ts";
import { Annotations } from "./annotations.tsx";
import { CategoryKeys, Distribution, Funnel, Groups, pickCategory, segmentName } from "./breakdown.tsx";
import { Categories, EarlierTrend, Trend, type TrendOf } from "./chart.tsx";
import { Comments } from "./comments.tsx";
import type { Report, TouchpointEntry, Unit, View } from "./contract.ts";
import { Export } from "./export.tsx";
import { fill, number, texts } from "./locale.ts";
import { may, useMe } from "./me.ts";
import { channelName, ownIn } from "./metric.ts";
import { Bone, Loaded, Title, Trouble } from "./parts.tsx";
import { daysIn, rangeText, unitFor, unitsFor } from "./period.ts";
import { daysAfter, Range, rangeQuery, rangeToShare } from "./range.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import { Answers, Change, Goal, metricName, Score } from "./score.tsx";
import { ShareButton } from "./shares.tsx";
import { Themes } from "./themes.tsx";
import app from "./texts/app.json";
import words from "./texts/touchpoint.json";

/** How many days the address is about. */
function days(today: string): number {
  const { from, to = daysAfter(today, 1) } = rangeQuery(address.value.query);
  return from ? Math.max(1, daysIn(from, to)) : 365;
}

/** The unit in the address, where it suits the range, or the one that suits best. */
function unit(today: string): Unit {
  const n = days(today);
  const wanted = address.value.query.get("by") as Unit | null;
  return wanted && unitsFor(n).includes(wanted) ? wanted : unitFor(n);
}

function path(id: string, today: string): string {
  const q = address.value.query;
  const wanted: Record<string, string> = { ...rangeQuery(q), by: unit(today), include: "lastYear,previous,channels,segments,earlier,annotations" };
  const name = q.get("channel") ? "channel" : "segment";
  const value = q.get(name);
  if (value) wanted[name] = value;
  return hrefOf(`/api/results/${encodeURIComponent(id)}`, wanted);
}

/** The page of a touchpoint. */
export function Touchpoint(props: { id: string }): VNode {
  const t = texts(words);
  const me = useMe();
  const list = useLive<{ touchpoints: TouchpointEntry[] }>(() => "/api/touchpoints");
  const live = useLive<Report>(() => path(props.id, me.today));
  const report = live.value.data;
  // Numbers are of one channel or of one segment; an address with both is mended.
  const both = address.value.query.has("channel") && address.value.query.has("segment");
  useEffect(() => {
    if (both) go(withQuery({ segment: null }), true);
  }, [both]);
  return (
    <div class="touchpoint">
      <Loaded live={list} skeleton={<Skeleton />}>
        {({ touchpoints }) => {
          const entry = touchpoints.find((x) => x.id === props.id);
          if (!entry) {
            return (
              <>
                <Title hidden>{texts(app).notFound}</Title>
                <Trouble problem={{ status: 404 }} />
              </>
            );
          }
          const q = address.value.query;
          const by = unit(me.today);
          const segments = me.segments?.length === 1 ? null : (me.segments ?? report?.segments?.map((g) => g.name) ?? []);
          return (
            <>
              <Heading entry={entry} />
              <div class="tools">
                <Range />
                <label class="unit">
                  <span class="name">{t.by}</span>
                  <select id="by" value={by} onChange={(e) => go(withQuery({ by: e.currentTarget.value }))}>
                    {unitsFor(days(me.today)).map((u) => (
                      <option key={u} value={u}>
                        {t.units[u]}
                      </option>
                    ))}
                  </select>
                </label>
                <span class="actions">
                  <Export touchpoint={entry.id} by={by} />
                  <ShareButton view={shareOf(entry, by, me.today)} name={ownIn(entry, entry.name)} />
                </span>
              </div>
              <Chosen limited={me.segments?.[0]} />
              <a class="to-voices" href="#voices-title">
                {t.voices} <span aria-hidden="true">↓</span>
              </a>
              <div class="beside">
                <Loaded live={live} skeleton={<ReportBones />}>
                  {(data) => <ReportView entry={entry} report={data} />}
                </Loaded>
                <aside class="card voices" aria-labelledby="voices-title">
                  <div class="bar">
                    <h2 id="voices-title">{t.voices}</h2>
                    <nav aria-label={t.voices}>
                      {(["comments", "themes"] as const).map((view) => (
                        <a key={view} href={withQuery({ view: view === "comments" ? null : view })} aria-current={(q.get("view") ?? "comments") === view ? "page" : undefined}>
                          {t.views[view]}
                        </a>
                      ))}
                    </nav>
                  </div>
                  {q.get("view") === "themes" ? (
                    <Themes touchpoint={entry.id} />
                  ) : (
                    <Comments touchpoint={entry.id} metric={entry.metric} zone={me.zone} channels={me.segments ? [] : entry.channels} segments={segments} />
                  )}
                </aside>
              </div>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

/** The view as a link shows it: ranges that go on to this day move on with time. */
function shareOf(entry: TouchpointEntry, by: Unit, today: string): View {
  const q = address.value.query;
  const [channel, segment] = [q.get("channel"), q.get("segment")];
  return { page: "touchpoint", touchpoint: entry.id, ...rangeToShare(q, today), by, ...(channel ? { channel } : segment ? { segment } : {}) };
}

function Heading(props: { entry: TouchpointEntry }): VNode {
  const { entry } = props;
  return (
    <header class="title">
      <Title>{ownIn(entry, entry.name)}</Title>
      <p class="soft">
        {metricName(entry.metric)} · {ownIn(entry, entry.question)}
      </p>
    </header>
  );
}

/** The part of the answers that the whole page is about, with a way back to all; limited is the segment that somebody sees who may not see all. */
function Chosen(props: { limited: string | undefined }): VNode | null {
  const t = texts(words);
  const q = address.value.query;
  const [channel, segment] = [q.get("channel"), q.get("segment")];
  if (!channel && !segment && !props.limited) return null;
  return (
    <p class="note chosen">
      <span>{fill(t.only, { part: channel ? channelName(channel) : segmentName(segment ?? props.limited!) })}</span>
      {(channel || segment) && (
        <button type="button" onClick={() => go(withQuery({ channel: null, segment: null }))}>
          {t.showAll}
        </button>
      )}
    </p>
  );
}

function Skeleton(): VNode {
  return (
    <>
      <div class="title">
        <Bone height="3.5rem" width="min(100%, 34rem)" />
      </div>
      <div class="tools">
        <Bone height="4rem" />
      </div>
      <div class="beside">
        <ReportBones />
        <Bone height="60rem" />
      </div>
    </>
  );
}

function ReportBones(): VNode {
  return (
    <div class="numbers">
      <div class="report">
        <div class="bone standing-bone" />
        <div class="bone chart-bone" />
        <div class="bone chart-bone" />
      </div>
    </div>
  );
}

/** The numbers of a touchpoint. Where it is read only, nothing leads to other views. */
export function ReportView(props: { entry: TouchpointEntry; report: Report; readOnly?: boolean }): VNode {
  const { entry, report: r } = props;
  const readOnly = props.readOnly ?? false;
  const t = texts(words);
  const marks = r.annotations ?? [];
  const same = useMemo(() => (r.earlier ?? []).filter((e) => e.metric === r.metric), [r]);
  const of = useMemo<TrendOf>(
    () => ({ metric: r.metric, by: r.by, periods: r.periods, series: r.series, lastYear: r.lastYear?.periods, goal: r.goal, marks: marks.map((a, i) => ({ date: a.date, name: number(i + 1) })), earlier: same }),
    [r],
  );
  const part = r.channel ? channelName(r.channel) : r.segment ? segmentName(r.segment) : null;
  const name = ownIn(entry, entry.name);
  const about = [[name, part].filter(Boolean).join(" · "), `${ownIn(entry, entry.question)} · ${rangeText(r.total.from, r.total.to)}`];
  return (
    <div class="numbers">
      <div class="report">
        <section class="card standing" aria-label={t.standing}>
          <div>
            <Score metric={r.metric} figures={r.total} big />
            <Answers figures={r.total} />
            <p class="soft">{rangeText(r.total.from, r.total.to)}</p>
          </div>
          <div class="judged">
            <Goal metric={r.metric} figures={r.total} goal={r.goal} />
            {r.previous && <Change metric={r.metric} difference={r.previous.difference} since={fill(t.sincePrevious, { range: rangeText(r.previous.total.from, r.previous.total.to) })} interval />}
            {r.lastYear && <Change metric={r.metric} difference={r.lastYear.difference} since={t.sinceLastYear} interval />}
            {r.metric === "ces5" && <p class="soft">{t.lowerIsBetter}</p>}
          </div>
        </section>
        <Trend id={`${r.touchpoint}-trend`} title={t.trend} about={about} of={of}>
          {same.map((e) => (
            <p key={e.series} class="soft">
              {fill(t.earlierSame, { n: e.series, question: ownIn(entry, e.question) })}
            </p>
          ))}
          <Marks {...props} readOnly={readOnly} />
        </Trend>
        {(r.earlier ?? [])
          .filter((e) => e.metric !== r.metric)
          .map((e) => (
            <EarlierTrend key={e.series} id={`${r.touchpoint}-series-${e.series}`} about={about} by={r.by} of={e} locales={entry.locales} />
          ))}
        <div class="pair">
          <Distribution metric={r.metric} total={r.total} readOnly={readOnly} />
          <Funnel total={r.total} />
        </div>
        <Categories
          id={`${r.touchpoint}-categories`}
          about={about}
          metric={r.metric}
          by={r.by}
          periods={r.periods}
          legend={<CategoryKeys metric={r.metric} total={r.total} readOnly={readOnly} />}
          {...(readOnly ? {} : { onPick: pickCategory })}
        />
        <div class="pair">
          {r.channels && (r.channels.length > 0 || !r.segment) && <Groups kind="channel" metric={r.metric} groups={r.channels} total={r.total} readOnly={readOnly} />}
          {r.segments && (r.segments.length > 1 || !r.segment) && <Groups kind="segment" metric={r.metric} groups={r.segments} total={r.total} readOnly={readOnly} />}
        </div>
      </div>
    </div>
  );
}

/** The marks below the trend. Whoever has only a link is told what happened, not what came of it. */
function Marks(props: { report: Report; readOnly: boolean }): ComponentChildren {
  const { report: r } = props;
  if (props.readOnly) {
    return r.annotations?.length ? <Annotations report={r} today="" canEdit={false} effects={false} /> : null;
  }
  return <OwnMarks report={r} />;
}

function OwnMarks(props: { report: Report }): VNode {
  const me = useMe();
  return <Annotations report={props.report} today={me.today} canEdit={may(me, "agent")} effects />;
}

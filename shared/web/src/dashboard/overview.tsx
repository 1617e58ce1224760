// How every touchpoint stands, along the customer's path, and what to look at
// first.
import type { VNode } from "preact";
import { useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import type { Metric, Overview as Data, OverviewEntry, Period, Phase } from "./contract.ts";
import { count, fill, texts } from "./locale.ts";
import { useMe } from "./me.ts";
import { bounds, changeText, distanceText, marginText, ownIn, scoreText, valueText } from "./metric.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { Range, rangeQuery, rangeToShare } from "./range.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import { Answers, Change, Goal, Score, isNear, metricName, verdictText } from "./score.tsx";
import { ShareButton } from "./shares.tsx";
import { Spark } from "./spark.tsx";
import app from "./texts/app.json";
import words from "./texts/overview.json";

const phases: readonly Phase[] = ["before", "during", "after", "leaving"];

/** The parameters of the view: its days and its segment. */
function query(): Record<string, string> {
  const segment = address.value.query.get("segment");
  return { ...rangeQuery(address.value.query), ...(segment ? { segment } : {}) };
}

export function Overview(): VNode {
  const me = useMe();
  const t = texts(words);
  const live = useLive<Data>(() => hrefOf("/api/overview", query()));
  const segment = query().segment ?? live.value.data?.segment;
  const view = { page: "overview" as const, ...rangeToShare(address.value.query, me.today), ...(segment ? { segment } : {}) };
  return (
    <>
      <div class="head">
        <Title>{texts(app).overview}</Title>
        <div class="tools">
          <Segment chosen={segment} />
          <Range />
          <ShareButton view={view} name={texts(app).overview} />
        </div>
      </div>
      <Loaded live={live} skeleton={<Waiting />}>
        {(data) =>
          data.touchpoints.length === 0 ? (
            <Nothing title={t.noTouchpoints} about={t.noTouchpointsAbout} href="/dashboard/settings" link={texts(app).settings} />
          ) : (
            <>
              {data.touchpoints.every(isEmpty) && <Nothing title={t.noAnswers} about={t.noAnswersAbout} href="/dashboard/settings" link={texts(app).settings} />}
              <Path overview={data} link={(e, days) => hrefOf(`/dashboard/t/${encodeURIComponent(e.id)}`, { ...query(), ...days })} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

/** The choice among the segments that somebody is limited to; for others the one that the address names. */
function Segment(props: { chosen: string | undefined }): VNode | null {
  const me = useMe();
  const t = texts(words);
  if (me.segments && me.segments.length > 1) {
    return (
      <label class="segment">
        <span class="name">{t.segment}</span>
        <select id="segment" value={props.chosen ?? me.segments[0]} onChange={(e) => go(withQuery({ segment: e.currentTarget.value }))}>
          {me.segments.map((s) => (
            <option key={s} value={s}>
              {segmentName(s)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  if (!props.chosen) return null;
  return (
    <p class="segment">
      <span class="name">{t.segment}</span>
      <span class="chip">{segmentName(props.chosen)}</span>
      {!me.segments && (
        <a class="button" href={withQuery({ segment: null })}>
          {t.allSegments}
        </a>
      )}
    </p>
  );
}

function Nothing(props: { title: string; about: string; href: string; link: string }): VNode {
  return (
    <section class="card blank">
      <h2>{props.title}</h2>
      <p>{props.about}</p>
      <a class="button" href={props.href}>
        {props.link}
      </a>
    </section>
  );
}

/** The address of a touchpoint in the view's days, or in others. */
type Link = (e: OverviewEntry, days?: { from: string; to: string }) => string;

/** What there is to look at, and the touchpoints by phase. Without link it is only to be read. */
export function Path(props: { overview: Data; link?: Link }): VNode {
  const { overview, link } = props;
  const t = texts(words);
  return (
    <>
      {!overview.touchpoints.every(isEmpty) && <Attention entries={overview.touchpoints} {...(link ? { link } : {})} />}
      <div class="path">
        {phases.map((phase) => {
          const entries = overview.touchpoints.filter((e) => e.phase === phase);
          if (entries.length === 0) return null;
          return (
            <section key={phase} class="phase" style={{ "--cards": entries.length }} aria-labelledby={`phase-${phase}`}>
              <h2 id={`phase-${phase}`}>{t.phases[phase]}</h2>
              <ul>
                {entries.map((e) => (
                  <Card key={e.id} entry={e} {...(link ? { href: link(e) } : {})} />
                ))}
              </ul>
            </section>
          );
        })}
      </div>
      <p class="about legend">{t.legend}</p>
    </>
  );
}

/** One touchpoint: the name is the link, and the whole card is where it can be pressed. */
function Card(props: { entry: OverviewEntry; href?: string }): VNode {
  const { entry: e, href } = props;
  const t = texts(words);
  const name = ownIn(e, e.name);
  return (
    <li class={`card stand ${e.total.verdict}`}>
      <div class="what">
        <h3>{href ? <a href={href}>{name}</a> : name}</h3>
        <span class="metric">{metricName(e.metric)}</span>
      </div>
      <div class="how">
        <Score metric={e.metric} figures={e.total} />
        <Spark metric={e.metric} periods={e.trend} goal={e.goal} />
      </div>
      <Goal metric={e.metric} figures={e.total} goal={e.goal} />
      <Change metric={e.metric} difference={e.recent.difference} since={t.recent} />
      <Answers figures={e.total} />
    </li>
  );
}

/** How many are told of at once. */
const mostTold = 6;

/** What deserves a look: what has really become worse, which leads to those months, and then what misses its goal, the surest first. */
function Attention(props: { entries: OverviewEntry[]; link?: Link }): VNode {
  const { link } = props;
  const t = texts(words);
  const worse = props.entries.filter(isWorse).sort((a, b) => part(b.metric, b.recent.difference!.change) - part(a.metric, a.recent.difference!.change));
  const missed = props.entries.filter((e) => !isWorse(e) && e.total.verdict === "missed").sort((a, b) => Number(isNear(a.total, a.goal)) - Number(isNear(b.total, b.goal)) || part(b.metric, b.total.distance) - part(a.metric, a.total.distance));
  const all = [...worse, ...missed];
  return (
    <section class="attention" aria-labelledby="attention">
      <h2 id="attention">{t.attention}</h2>
      {all.length === 0 ? (
        <p>{props.entries.every((e) => e.total.tooFew) ? t.nothingToSay : t.allWell}</p>
      ) : (
        <ol>
          {all.slice(0, mostTold).map((e) => (
            <li key={e.id} class={isWorse(e) ? "worse" : isNear(e.total, e.goal) ? "near" : "missed"}>
              {link ? <a href={isWorse(e) ? link(e, daysOf(e.recent.now)) : link(e)}>{ownIn(e, e.name)}</a> : <strong>{ownIn(e, e.name)}</strong>}
              <span class="why">{why(e)}</span>
            </li>
          ))}
        </ol>
      )}
      {all.length > mostTold && <p class="rest">{count(t.more, all.length - mostTold)}</p>}
    </section>
  );
}

function daysOf(p: Period): { from: string; to: string } {
  return { from: p.from, to: p.to };
}

function isEmpty(e: OverviewEntry): boolean {
  return e.total.n === 0;
}

function isWorse(e: OverviewEntry): boolean {
  return e.recent.difference?.verdict === "real" && e.recent.difference.better === false;
}

/** How much of its metric's scale a number is: in which order to look, and nothing that is shown. */
function part(m: Metric, n: number | null): number {
  const [low, high] = bounds(m);
  return Math.abs(n ?? 0) / (high - low);
}

function why(e: OverviewEntry): string {
  const t = texts(words);
  const d = e.recent.difference;
  const parts = [`${scoreText(e.metric, e.total)} ${marginText(e.metric, e.total) ?? ""}`.trim()];
  if (isWorse(e)) parts.push(fill(t.hasChanged, { change: changeText(e.metric, d!.change), verdict: verdictText(d!) }));
  if (e.total.verdict === "missed") parts.push(fill(isNear(e.total, e.goal) ? t.justMissed : t.missed, { goal: valueText(e.metric, e.goal!), n: distanceText(e.metric, e.total.distance!) }));
  return parts.join(" · ");
}

/** Stands where the overview will be. */
function Waiting(): VNode {
  return (
    <>
      <div class="attention">
        <Bone height="7rem" />
      </div>
      <div class="path">
        {[0, 1, 2, 3, 4, 5].map((i) => (
          <Bone key={i} height="16rem" width="24rem" />
        ))}
      </div>
    </>
  );
}

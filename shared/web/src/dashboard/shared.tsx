// A view that somebody shared by a link: read only, for whoever has the link.
import type { VNode } from "preact";
import { useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import type { SharedView, TouchpointEntry } from "./contract.ts";
import { Layout } from "./layout.tsx";
import { date, fill, moment, number, texts } from "./locale.ts";
import { channelName, memberName, ownIn, tone } from "./metric.ts";
import { Path } from "./overview.tsx";
import { Bone, Loaded, Title } from "./parts.tsx";
import { rangeText } from "./period.ts";
import { metricName } from "./score.tsx";
import { ReportView } from "./touchpoint.tsx";
import score from "./texts/score.json";
import words from "./texts/shared.json";

export function Shared(props: { link: string }): VNode {
  const live = useLive<SharedView>(() => `/shared/${encodeURIComponent(props.link)}`);
  const status = live.value.problem?.status;
  return <Layout me={null}>{status === 404 || status === 400 ? <Gone /> : <Loaded live={live} skeleton={<Bone height="70vh" />}>{(view) => <View view={view} />}</Loaded>}</Layout>;
}

/** For a link that was revoked, has expired or never was: nobody is told which. */
function Gone(): VNode {
  const t = texts(words);
  return (
    <section class="welcome">
      <Title>{t.gone}</Title>
      <p>{t.goneAbout}</p>
      <p>
        <a class="button" href="/dashboard">
          {t.signIn}
        </a>
      </p>
    </section>
  );
}

function View(props: { view: SharedView }): VNode {
  const v = props.view;
  const t = texts(words);
  const range = v.report?.total ?? v.overview;
  const parts = [
    v.touchpoint && ownIn(v.touchpoint, v.touchpoint.name) !== v.name && ownIn(v.touchpoint, v.touchpoint.name),
    range && rangeText(range.from, range.to),
    v.view.channel && channelName(v.view.channel),
    v.view.segment && segmentName(v.view.segment),
    v.expires && fill(t.until, { date: date(v.expires) }),
  ].filter(Boolean);
  const comments = v.comments && <Comments comments={v.comments} entries={v.touchpoint ? [v.touchpoint] : (v.overview?.touchpoints ?? [])} zone={v.zone} />;
  return (
    <>
      <div class="head">
        <Title>{v.name}</Title>
      </div>
      {v.touchpoint && (
        <p class="about">
          {metricName(v.touchpoint.metric)} · {ownIn(v.touchpoint, v.touchpoint.question)}
        </p>
      )}
      <p class="about">{parts.join(" · ")}</p>
      {v.overview && <Path overview={v.overview} />}
      {v.touchpoint && v.report && (
        <div class="shared">
          <ReportView entry={v.touchpoint} report={v.report} readOnly />
          {comments}
        </div>
      )}
      {v.overview && comments}
      <p class="about">{texts(score).hiddenAbout}</p>
    </>
  );
}

/** What customers wrote, the newest first; where there are several touchpoints, to which. */
function Comments(props: { comments: NonNullable<SharedView["comments"]>; entries: TouchpointEntry[]; zone: string }): VNode {
  const { comments, entries } = props;
  const t = texts(words);
  return (
    <section class="card" aria-labelledby="comments">
      <h2 id="comments">{t.comments}</h2>
      {comments.length === 0 ? (
        <p>{t.noComments}</p>
      ) : (
        <ol class="quotes">
          {comments.map((c) => {
            const entry = entries.find((e) => e.id === c.touchpoint);
            const about = [entry && entries.length > 1 && ownIn(entry, entry.name), moment(c.answeredAt, props.zone), channelName(c.channel)];
            return (
              <li key={c.answeredAt + c.comment}>
                <p class="said-by">
                  <span class={`badge ${tone(c.category)}`}>{number(c.score)}</span> {entry && memberName(entry.metric, c.category)}
                </p>
                <p class="said-words" dir="auto">
                  {c.comment}
                </p>
                <p class="about">{about.filter(Boolean).join(" · ")}</p>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}

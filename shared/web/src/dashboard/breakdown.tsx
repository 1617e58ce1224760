// What a score is made of: its answers, its channels and segments, and how many
// of those who were asked answered.
import type { ComponentChildren, VNode } from "preact";
import type { Category, Difference, Figures, Group, Metric } from "./contract.ts";
import { count, fill, number, percent, texts } from "./locale.ts";
import { answers, bounds, categories, categoryName, categoryOf, changeText, channelName, hidden, marginText, scoreText, tone } from "./metric.ts";
import { address, go, withQuery } from "./router.ts";
import words from "./texts/touchpoint.json";

/** Chooses one part of the answers, or all of them again where it was chosen. */
function toggle(name: string, value: string, clears: Record<string, null> = {}): void {
  const chosen = address.value.query.get(name) === value;
  go(withQuery({ ...clears, [name]: chosen ? null : value }));
}

const chosen = (name: string, value: string) => address.value.query.get(name) === value;

/** Whether a part differs from the others, in words, and by how much. */
function Differs(props: { metric: Metric; of: Difference }): VNode {
  const t = texts(words);
  const { metric, of: d } = props;
  const kind = d.verdict === "real" && d.better !== null ? (d.better ? "good" : "bad") : "none";
  const text = d.verdict === "too_few" ? t.tooFew : d.verdict === "noise" ? t.noise : d.better === null ? t.differs : d.better ? t.differsBetter : t.differsWorse;
  return (
    <span class={`differs ${kind}`}>
      {kind !== "none" && <span aria-hidden="true">{kind === "good" ? "▲ " : "▼ "}</span>}
      {text}
      {d.verdict !== "too_few" && (
        <span class="soft">
          {" "}
          {changeText(metric, d.change)} ({changeText(metric, d.low)}…{changeText(metric, d.high)})
        </span>
      )}
    </span>
  );
}

/** How many gave each answer. Pressing one shows the comments that came with it. */
export function Distribution(props: { metric: Metric; total: Figures; readOnly?: boolean }): VNode {
  const t = texts(words);
  const { metric: m, total } = props;
  const all = answers(m);
  const most = Math.max(1, ...all.map((a) => total.counts[a] ?? 0));
  return (
    <section class="card" aria-labelledby="distribution-title">
      <h2 id="distribution-title">{t.distribution}</h2>
      {hidden(total) ? (
        <p class="soft">{t.under5}</p>
      ) : (
        <ol class="scores">
          {all.map((a) => {
            const n = total.counts[a] ?? 0;
            const name = fill(t.answerN, { answer: number(a), answers: count(t.answers, n) });
            const bar = (
              <>
                <span class="unseen">{name}</span>
                <span class="n" aria-hidden="true">{number(n)}</span>
                <span class={`fill ${tone(categoryOf(m, a))}`} style={{ height: `${(100 * n) / most}%` }} />
                <span class="answer" aria-hidden="true">{m === "thumbs" ? categoryName(m, categoryOf(m, a)) : number(a)}</span>
              </>
            );
            return (
              <li key={a}>
                {props.readOnly ? (
                  <div class="tower">{bar}</div>
                ) : (
                  <button type="button" class="tower" aria-pressed={chosen("score", String(a))} onClick={() => toggle("score", String(a), { category: null })}>
                    {bar}
                  </button>
                )}
              </li>
            );
          })}
        </ol>
      )}
      <CategoryKeys metric={m} total={total} readOnly={props.readOnly ?? false} />
    </section>
  );
}

/** The categories with their colours and counts. Pressing one shows its comments. */
export function CategoryKeys(props: { metric: Metric; total: Figures; readOnly: boolean }): VNode {
  const { metric: m, total } = props;
  return (
    <ul class="legend">
      {categories(m).map((c) => {
        const what = (
          <>
            <span class={`dot ${tone(c)}`} aria-hidden="true" />
            {categoryName(m, c)}
            {hidden(total) ? null : <b>{number(total.categories[c] ?? 0)}</b>}
          </>
        );
        return (
          <li key={c}>
            {props.readOnly ? (
              <span>{what}</span>
            ) : (
              <button type="button" class="key" aria-pressed={chosen("category", c)} onClick={() => pickCategory(c)}>
                {what}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** Shows the comments of one category, or of all again. */
export function pickCategory(c: Category | string): void {
  toggle("category", c, { score: null });
}

/** A segment as people read it: plan: gold. */
export function segmentName(s: string): string {
  return s.replace("=", ": ");
}

/** Channels or segments against the others. Pressing one shows the page of its answers alone. */
export function Groups(props: { kind: "channel" | "segment"; metric: Metric; groups: Group[]; total: Figures; readOnly?: boolean }): VNode {
  const t = texts(words);
  const { kind, metric: m, groups } = props;
  const [least, most] = bounds(m);
  const at = (n: number) => `${(100 * (n - least)) / (most - least)}%`;
  const name = (g: Group) => (kind === "channel" ? channelName(g.name) : segmentName(g.name));
  const id = `${kind}s-title`;
  const query = address.value.query;
  const some = !props.readOnly && query.get(kind);
  // The groups are of all answers, whichever of them the page is about.
  const narrowed = !props.readOnly && (query.has("channel") || query.has("segment"));
  return (
    <section class="card groups" aria-labelledby={id}>
      <div class="bar">
        <h2 id={id}>{kind === "channel" ? t.channels : t.segments}</h2>
        {some && (
          <button type="button" class="plain" onClick={() => go(withQuery({ [kind]: null }))}>
            {t.showAll}
          </button>
        )}
      </div>
      {narrowed && groups.length > 0 && <p class="soft">{t.ofAllAnswers}</p>}
      {groups.length === 0 ? (
        <p class="soft">{kind === "channel" ? t.noChannels : t.noSegments}</p>
      ) : (
        <table aria-labelledby={id}>
          <thead>
            <tr>
              <th scope="col">{kind === "channel" ? t.channel : t.segment}</th>
              <th scope="col" class="number">{t.score}</th>
              <th scope="col" class="number">{t.n}</th>
              <th scope="col">{t.againstOthers}</th>
            </tr>
          </thead>
          <tbody>
            {groups.map((g) => (
              <tr key={g.name} class={g.tooFew ? "few" : ""}>
                <th scope="row">
                  {props.readOnly ? (
                    name(g)
                  ) : (
                    <button type="button" class="pick" aria-pressed={chosen(kind, g.name)} onClick={() => toggle(kind, g.name, kind === "channel" ? { segment: null } : { channel: null })}>
                      {name(g)}
                    </button>
                  )}
                  {g.score !== null && g.low !== null && g.high !== null && (
                    <span class="whisker" aria-hidden="true">
                      <i class="line" style={{ left: at(Math.max(least, g.low)), right: `calc(100% - ${at(Math.min(most, g.high))})` }} />
                      {!narrowed && props.total.score !== null && <i class="all" style={{ left: at(props.total.score) }} />}
                      <i class="point" style={{ left: at(g.score) }} />
                    </span>
                  )}
                </th>
                <td class="number">
                  {hidden(g) ? t.under5 : scoreText(m, g)} <span class="soft">{marginText(m, g)}</span>
                </td>
                <td class="number answers-in">
                  {!hidden(g) && (
                    <>
                      <span class="short">{number(g.n)}</span>
                      <span class="long">{count(t.answers, g.n)}</span>
                    </>
                  )}
                </td>
                <td>{g.difference ? <Differs metric={m} of={g.difference} /> : !hidden(g) && g.n > 0 && g.tooFew ? <span class="differs none">{t.tooFew}</span> : null}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {groups.filter((g) => g.difference && g.difference.verdict !== "too_few").length > 1 && <p class="soft about">{t.together}</p>}
    </section>
  );
}

/** From sent to answered, with the three rates by their names. */
export function Funnel(props: { total: Figures }): VNode {
  const t = texts(words);
  const f = props.total;
  // In views that are shared by a link, who was asked may be hidden alone.
  const unknown = hidden(f) || f.sent === null;
  const step = (name: string, n: number, of: number) => (
    <li>
      <span>{name}</span>
      <b>{number(n)}</b>
      <span class="track" aria-hidden="true">
        <i style={{ width: of > 0 ? `${Math.min(100, (100 * n) / of)}%` : "0" }} />
      </span>
    </li>
  );
  const line = (name: string, value: ComponentChildren) => (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <section class="card" aria-labelledby="funnel-title">
      <h2 id="funnel-title">{t.funnel}</h2>
      {unknown ? (
        <p class="soft">{t.under5}</p>
      ) : f.sent === 0 ? (
        <p class="soft">{t.noneSent}</p>
      ) : (
        <>
          <p class="soft">{t.funnelAbout}</p>
          <ol class="funnel">
            {step(t.sent, f.sent, f.sent)}
            {step(t.delivered, f.delivered, f.sent)}
            {step(t.answered, f.answered, f.sent)}
          </ol>
          <dl class="figures">
            {line(t.answeredOfDelivered, <strong>{percent(f.rates.answeredOfDelivered)}</strong>)}
            {line(t.answeredOfSent, percent(f.rates.answeredOfSent))}
            {line(t.confirmedOfDelivered, percent(f.rates.confirmedOfDelivered))}
            {line(t.bounced, number(f.bounced))}
            {line(t.suspect, number(f.suspect))}
          </dl>
        </>
      )}
    </section>
  );
}

// A score as it is read everywhere: the number, how sure it is, how it stands
// against its goal, and whether it has changed.
import type { VNode } from "preact";
import type { Difference, Figures, Metric } from "./contract.ts";
import { count, fill, percent, texts } from "./locale.ts";
import { changeText, distanceText, hidden, marginText, scoreText, valueText } from "./metric.ts";
import words from "./texts/score.json";

/** What a metric is called. */
export function metricName(m: Metric): string {
  return texts(words).metrics[m];
}

/** A figure that whoever has only a link may not see. */
export function Hidden(): VNode {
  return <span class="hidden-figure">{texts(words).hidden}</span>;
}

/** The big number, its margin, and a word where there are too few answers to trust it. */
export function Score(props: { metric: Metric; figures: Figures; big?: boolean }): VNode {
  const { metric, figures: f } = props;
  const t = texts(words);
  if (hidden(f)) {
    return (
      <p class="score">
        <Hidden />
      </p>
    );
  }
  return (
    <p class={`score${props.big ? " big" : ""}${f.tooFew ? " few" : ""}`}>
      <span class="figure">
        {f.score === null && <span class="unseen">{t.none}</span>}
        <span aria-hidden={f.score === null}>{scoreText(metric, f)}</span>
      </span>
      {f.margin !== null && (
        <>
          {" "}
          <span class="margin" title={t.marginAbout}>
            {marginText(metric, f)}
          </span>
        </>
      )}
    </p>
  );
}

/** A shape beside a word, so that no colour says anything alone. */
function Mark(props: { kind: "good" | "bad" | "none" }): VNode {
  return (
    <svg class={`mark ${props.kind}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {props.kind === "good" && <path d="M3 8.5l3.2 3.2L13 5" />}
      {props.kind === "bad" && <path d="M8 3v6.5M8 12.6v.4" />}
      {props.kind === "none" && <path d="M4 8h8" />}
    </svg>
  );
}

/** Reports whether a goal lies within a score's margin of error: then it may be met as well as missed. */
export function isNear(f: Figures, goal: number | null): boolean {
  return goal !== null && f.low !== null && f.high !== null && f.low <= goal && goal <= f.high;
}

/** How a score stands against its goal. */
export function Goal(props: { metric: Metric; figures: Figures; goal: number | null }): VNode {
  const { metric, figures: f, goal } = props;
  const t = texts(words);
  if (goal === null) {
    return (
      <p class="goal none">
        <Mark kind="none" />
        <span>{t.noGoal}</span>
      </p>
    );
  }
  const kind = f.verdict === "met" ? "good" : f.verdict === "missed" ? "bad" : "none";
  const near = isNear(f, goal);
  const text = kind === "good" ? (near ? t.goalJustMet : t.goalMet) : kind === "bad" ? (near ? t.goalJustMissed : t.goalMissed) : hidden(f) || f.n === 0 ? t.goal : t.goalTooFew;
  return (
    <p class={`goal ${kind}`}>
      <Mark kind={kind} />
      <span>{fill(text, { goal: valueText(metric, goal), n: f.distance === null ? "" : distanceText(metric, f.distance) })}</span>
    </p>
  );
}

/** What can be said of a change, in words: real change for the worse. */
export function verdictText(d: Difference): string {
  const t = texts(words);
  if (d.verdict === "too_few") return t.tooFew;
  if (d.verdict === "noise") return t.noise;
  return d.better === null ? t.real : d.better ? t.realBetter : t.realWorse;
}

/** A change with its direction and what can be said of it; since names what it is from. */
export function Change(props: { metric: Metric; difference: Difference | null; since: string; interval?: boolean }): VNode {
  const { metric, difference: d } = props;
  const t = texts(words);
  const kind = d?.verdict === "real" && d.better !== null ? (d.better ? "good" : "bad") : "none";
  return (
    <p class={`change ${kind}`}>
      <Arrow of={d} />
      <span>
        {props.since}:{" "}
        {d === null ? (
          t.noComparison
        ) : (
          <>
            <strong>{changeText(metric, d.change)}</strong> <span class="verdict">{verdictText(d)}</span>
            {props.interval && (
              <span class="interval"> {fill(t.interval, { low: changeText(metric, d.low), high: changeText(metric, d.high) })}</span>
            )}
          </>
        )}
      </span>
    </p>
  );
}

/** Up or down where the change is real; level where it is not. */
function Arrow(props: { of: Difference | null }): VNode {
  const d = props.of;
  const to = d?.verdict !== "real" || d.change === 0 ? "level" : d.change > 0 ? "up" : "down";
  return (
    <svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={to === "up" ? "M8 13V3.5M4 7.5l4-4 4 4" : to === "down" ? "M8 3v9.5M4 8.5l4 4 4-4" : "M2.5 10c1.8-4 3.7-4 5.5-2s3.7 2 5.5-2"} />
    </svg>
  );
}

/** From how many asks a response rate says something: fewer are those that somebody tried out. */
const enough = 10;

/** How many answered, and of those reached how many. */
export function Answers(props: { figures: Figures }): VNode {
  const f = props.figures;
  const t = texts(words);
  if (hidden(f)) {
    return (
      <p class="answers">
        <Hidden />
      </p>
    );
  }
  return (
    <p class="answers">
      <span>{count(t.answers, f.n)}</span>
      {f.tooFew && f.n > 0 && <span class="few-word">{t.tooFew}</span>}
      {f.rates.answeredOfDelivered !== null && f.sent >= enough && <span>{fill(t.rate, { n: percent(f.rates.answeredOfDelivered) })}</span>}
    </p>
  );
}

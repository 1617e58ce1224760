// A small line of how a score has gone, with its margin and its goal.
import type { VNode } from "preact";
import type { Metric, Period } from "./contract.ts";
import { date, fill, texts } from "./locale.ts";
import { scoreText } from "./metric.ts";
import words from "./texts/score.json";

const width = 200;
const height = 60;
const edge = 5;

/** The least part of a scale that is drawn, so that noise does not look like news. */
const least: Record<Metric, number> = { nps: 40, csat: 20, ces: 1, ces5: 1, smiley: 20, thumbs: 20 };

interface Point {
  x: number;
  y: number;
  low: number;
  high: number;
  few: boolean;
}

/** Draws the periods' scores. Where one has no answer there is a gap; few answers are drawn hollow. */
export function Spark(props: { metric: Metric; periods: Period[]; goal: number | null }): VNode {
  const { metric, periods, goal } = props;
  const [from, to] = domain(metric, periods, goal);
  const y = (v: number) => edge + (height - 2 * edge) * (1 - (Math.min(Math.max(v, from), to) - from) / (to - from));
  const step = (width - 2 * edge) / Math.max(periods.length - 1, 1);
  const runs = runsOf(periods, (p, i) => ({ x: edge + i * step, y: y(p.score!), low: y(p.low!), high: y(p.high!), few: p.tooFew }));
  const all = runs.flat();
  const last = all[all.length - 1];
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={told(metric, periods)}>
      {runs.map((r) => r.length > 1 && <path class="band" d={`${line(r, "high")}L${line([...r].reverse(), "low").slice(1)}Z`} />)}
      {goal !== null && <path class="at-goal" d={`M0 ${round(y(goal))}H${width}`} />}
      {runs.map((r) => r.length > 1 && <path class="run" d={line(r, "y")} />)}
      {all.map((p) => (p.few || alone(runs, p)) && p !== last && <circle class={p.few ? "dot few" : "dot"} cx={round(p.x)} cy={round(p.y)} r="2.2" />)}
      {last && <circle class={last.few ? "dot few" : "dot"} cx={round(last.x)} cy={round(last.y)} r="3.4" />}
    </svg>
  );
}

const round = (n: number): number => Math.round(n * 10) / 10;

function line(points: Point[], of: "y" | "low" | "high"): string {
  return "M" + points.map((p) => `${round(p.x)} ${round(p[of])}`).join("L");
}

function alone(runs: Point[][], p: Point): boolean {
  return runs.some((r) => r.length === 1 && r[0] === p);
}

/** The unbroken runs of periods that have a score. */
function runsOf(periods: Period[], point: (p: Period, i: number) => Point): Point[][] {
  const runs: Point[][] = [];
  let open = false;
  periods.forEach((p, i) => {
    const has = p.score !== null && p.low !== null && p.high !== null;
    if (has && !open) runs.push([]);
    if (has) runs[runs.length - 1]!.push(point(p, i));
    open = has;
  });
  return runs;
}

/** What part of the scale is drawn: the scores and the goal, and as much of the margins as leaves the line its shape. */
function domain(metric: Metric, periods: Period[], goal: number | null): [number, number] {
  const values = periods.flatMap((p) => (p.score === null ? [] : p.tooFew ? [p.score] : [p.score, p.low ?? p.score, p.high ?? p.score]));
  if (goal !== null) values.push(goal);
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const more = Math.max(0, least[metric] - (high - low)) / 2;
  return [low - more, high + more + least[metric] / 20];
}

/** The line in words, for who does not see it. */
function told(metric: Metric, periods: Period[]): string {
  const t = texts(words);
  const scored = periods.filter((p) => p.score !== null);
  if (scored.length === 0) return t.trendNone;
  const month = (p: Period) => date(p.from, { month: "numeric", year: "numeric" });
  const [first, last] = [scored[0]!, scored[scored.length - 1]!];
  const values = { first: month(first), from: scoreText(metric, first) };
  if (scored.length === 1) return fill(t.trendOne, values);
  const low = scored.reduce((a, b) => (b.score! < a.score! ? b : a));
  const high = scored.reduce((a, b) => (b.score! > a.score! ? b : a));
  return fill(t.trendFrom, {
    ...values,
    last: month(last),
    to: scoreText(metric, last),
    low: scoreText(metric, low),
    lowAt: month(low),
    high: scoreText(metric, high),
    highAt: month(high),
  });
}

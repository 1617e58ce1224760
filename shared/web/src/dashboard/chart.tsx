// Charts on a time line, drawn on a canvas, with the same numbers in a table
// behind them.
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { batch, signal, useSignal, useSignalEffect, type Signal } from "@preact/signals";
import uPlot from "uplot";
import type { Annotation, EarlierSeries, Figures, Metric, Period, Unit } from "./contract.ts";
import { theme } from "./layout.tsx";
import { count, day, fill, locale, number, own, percent, shown, texts } from "./locale.ts";
import { bounds, categories, categoryName, hidden, marginText, scoreText, tone, valueText } from "./metric.ts";
import { middle, periodName, tick } from "./period.ts";
import app from "./texts/app.json";
import words from "./texts/touchpoint.json";

// Colours. A canvas does not know CSS variables: their values are read from an
// element that wears them, again whenever the page changes its theme.
const worn = new Map<string, string>();
const dressed = signal(0);
let printing = false;

/** The colour of a name in style.css, as it is now. */
export function ink(name: string): string {
  const had = worn.get(name);
  if (had) return had;
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  if (printing) probe.style.colorScheme = "light";
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  worn.set(name, color);
  return color;
}

function redress(): void {
  worn.clear();
  dressed.value++;
}
theme.subscribe(() => queueMicrotask(redress));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redress);
for (const [event, on] of [["beforeprint", true], ["afterprint", false]] as const) {
  addEventListener(event, () => {
    printing = on;
    redress();
  });
}

/** A line of a tooltip. */
export interface TipLine {
  name: string;
  value: string;
}
export interface Tip {
  title: string;
  lines: TipLine[];
}

/** What a legend says of one line or area. */
export interface Key {
  name: string;
  color: string;
  kind: "line" | "dashed" | "band" | "bar" | "hollow";
}

/** What a chart draws: rebuilt only where the data or the language is another. */
export interface Drawing {
  data: uPlot.AlignedData;
  series: uPlot.Series[];
  bands?: uPlot.Band[];
  /** The limits of the vertical axis, and what is written on it. */
  range: [number, number];
  axis: (n: number) => string;
  /** The periods on the time line, in order. */
  periods: { from: string; to: string }[];
  by: Unit;
  under?: (u: uPlot) => void;
  over?: (u: uPlot) => void;
  /** Whether there is anything to draw. */
  empty: boolean;
  tip: (i: number) => Tip;
}

const family = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const font = (size: number, weight = "") => `${weight} ${size * uPlot.pxRatio}px ${family}`.trim();
/** How much larger words are on a screen on a wall, which is read from afar. */
const larger = () => (innerWidth >= 1920 ? 4 / 3 : 1);

function options(d: Drawing, size: { width: number; height: number }, at: Signal<number | null>): uPlot.Options {
  const grid = { stroke: () => ink("line"), width: 1 };
  const xs = d.data[0] as number[];
  const label = new Map(xs.map((x, i) => [x, i]));
  const scale = larger();
  const axisFont = `${12 * scale}px ${family}`;
  return {
    ...size,
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [16, 12, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false, setScale: false }, bind: { dblclick: () => null } },
    scales: {
      x: { time: false, range: () => [day(d.periods[0]!.from).getTime() / 1000, day(d.periods.at(-1)!.to).getTime() / 1000] },
      y: { range: () => d.range },
    },
    axes: [
      {
        stroke: () => ink("soft"),
        font: axisFont,
        grid: { show: false },
        ticks: { show: false },
        size: 44 * scale,
        splits: (u) => {
          const step = Math.max(1, Math.ceil((xs.length * 52 * scale) / Math.max(1, u.bbox.width / uPlot.pxRatio)));
          return xs.filter((_, i) => i % step === 0);
        },
        values: (_, splits) => {
          let year = "";
          return splits.map((x) => {
            const p = d.periods[label.get(x) ?? 0]!;
            const y = p.from.slice(0, 4);
            const first = y !== year && d.by !== "year";
            year = y;
            return first ? `${tick(d.by, p)}\n${y}` : tick(d.by, p);
          });
        },
      },
      { stroke: () => ink("soft"), font: axisFont, grid, ticks: { show: false }, size: 48 * scale, values: (_, splits) => splits.map(d.axis) },
    ],
    series: [{}, ...d.series],
    bands: d.bands ?? [],
    hooks: {
      drawAxes: d.under ? [d.under] : [],
      draw: d.over ? [d.over] : [],
      setCursor: [
        (u) => {
          const left = u.cursor.left ?? -1;
          at.value = left < 0 ? null : (u.cursor.idx ?? null);
        },
      ],
    },
  };
}

/** A chart on a canvas. Along its points go the mouse, a finger and the arrow keys. */
function Plot(props: { id: string; name: string; drawing: Drawing; plot: { current: uPlot | null }; onPick?: ((i: number, value: number) => void) | undefined }): VNode {
  const t = texts(words);
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const at = useSignal<number | null>(null);
  const said = useSignal("");
  const { drawing, plot } = props;
  const pick = useRef(props.onPick);
  pick.current = props.onPick;

  useEffect(() => {
    const el = box.current!;
    const size = () => ({ width: Math.max(200, el.clientWidth), height: el.clientHeight });
    const u = new uPlot(options(drawing, size(), at), drawing.data, el);
    plot.current = u;
    const follow = (e: PointerEvent) => {
      if (e.pointerType === "mouse") return;
      const r = u.over.getBoundingClientRect();
      u.setCursor({ left: e.clientX - r.left, top: e.clientY - r.top });
    };
    const press = () => {
      const { idx, top } = u.cursor;
      if (idx != null && top != null) pick.current?.(idx, u.posToVal(top, "y"));
    };
    u.over.addEventListener("pointerdown", follow);
    u.over.addEventListener("pointermove", follow);
    u.over.addEventListener("click", press);
    const resize = new ResizeObserver(() => {
      if (size().width !== u.width || size().height !== u.height) u.setSize(size());
    });
    resize.observe(el);
    return () => {
      resize.disconnect();
      u.destroy();
      plot.current = null;
      at.value = null;
    };
  }, [drawing]);

  useSignalEffect(() => {
    if (dressed.value > 0) plot.current?.redraw();
  });

  // The tooltip stays within the chart, beside the point that it is about.
  const i = at.value;
  useEffect(() => {
    const u = plot.current;
    const el = tip.current;
    if (i === null || !u || !el) return;
    const x = u.valToPos(u.data[0]![i]!, "x") + u.over.offsetLeft;
    const left = x + 16 + el.offsetWidth < u.width ? x + 16 : Math.max(0, x - 16 - el.offsetWidth);
    el.style.transform = `translate(${Math.round(left)}px, 8px)`;
  }, [i, drawing]);

  const move = (e: KeyboardEvent) => {
    const u = plot.current;
    const last = drawing.periods.length - 1;
    const now = at.value;
    const to: Record<string, number> = { ArrowLeft: (now ?? last + 1) - 1, ArrowRight: (now ?? -1) + 1, Home: 0, End: last, PageUp: (now ?? last) - 12, PageDown: (now ?? 0) + 12 };
    if (!u) return;
    if (e.key === "Escape") {
      u.setCursor({ left: -10, top: -10 });
      return;
    }
    if (!(e.key in to) || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    const next = Math.min(last, Math.max(0, to[e.key]!));
    batch(() => {
      u.setCursor({ left: u.valToPos(u.data[0]![next]!, "x"), top: 0 });
      at.value = next;
      const { title, lines } = drawing.tip(next);
      said.value = `${title}: ${lines.map((l) => `${l.name} ${l.value}`).join("; ")}`;
    });
  };
  const shownTip = i === null || i >= drawing.periods.length ? null : drawing.tip(i);
  return (
    <div
      id={props.id}
      class="plot"
      role="application"
      tabIndex={0}
      aria-label={fill(t.chartName, { name: props.name })}
      aria-roledescription={t.chart}
      onKeyDown={move}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    >
      <div class="canvas" ref={box} />
      {drawing.empty && <p class="empty">{t.noneInRange}</p>}
      <div ref={tip} class="tip" aria-hidden="true" hidden={shownTip === null}>
        {shownTip && (
          <>
            <strong>{shownTip.title}</strong>
            {shownTip.lines.map((l) => (
              <span key={l.name}>
                {l.name} <b>{l.value}</b>
              </span>
            ))}
          </>
        )}
      </div>
      <p class="unseen" role="status">
        {said.value}
      </p>
    </div>
  );
}

function Swatch(props: { of: Key }): VNode {
  const { kind, color } = props.of;
  const style = { color: `var(--${color})` };
  return (
    <svg class="swatch" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true" style={style}>
      {kind === "band" && <rect width="24" height="12" fill="currentColor" />}
      {kind === "bar" && <rect x="5" width="14" height="12" rx="2" fill="currentColor" />}
      {kind === "hollow" && <circle cx="12" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2" />}
      {(kind === "line" || kind === "dashed") && <path d="M0 6h24" stroke="currentColor" stroke-width="3" stroke-dasharray={kind === "dashed" ? "5 4" : undefined} />}
    </svg>
  );
}

/** What lines and areas mean. */
export function Legend(props: { keys: Key[] }): VNode {
  return (
    <ul class="legend">
      {props.keys.map((k) => (
        <li key={k.name}>
          <Swatch of={k} />
          {k.name}
        </li>
      ))}
    </ul>
  );
}

/** A chart with what belongs to it: its heading, its table, and its picture as a file. */
export function Charted(props: {
  id: string;
  title: string;
  /** What is shown, for the picture: whose results, of which days. */
  about: string[];
  keys: Key[];
  drawing: Drawing;
  table: () => VNode;
  kind?: string;
  /** Instead of the plain legend. */
  legend?: VNode;
  onPick?: (i: number, value: number) => void;
  children?: ComponentChildren;
}): VNode {
  const t = texts(words);
  const a = texts(app);
  const table = useSignal(false);
  const plot = useRef<uPlot | null>(null);
  return (
    <section class={`card charted ${props.kind ?? ""}`} aria-labelledby={`${props.id}-title`}>
      <div class="bar">
        <h2 id={`${props.id}-title`}>{props.title}</h2>
        <button type="button" class="plain" aria-pressed={table.value} onClick={() => (table.value = !table.value)}>
          {a.table}
        </button>
        <button type="button" class="plain" disabled={table.value} onClick={() => plot.current && void picture(plot.current, props)}>
          {t.png}
        </button>
      </div>
      {table.value ? (
        <div class="plot scrolled" role="region" tabIndex={0} aria-labelledby={`${props.id}-title`}>
          {props.table()}
        </div>
      ) : (
        <Plot id={props.id} name={props.title} drawing={props.drawing} plot={plot} onPick={props.onPick} />
      )}
      {props.legend ?? <Legend keys={props.keys} />}
      {props.children}
    </section>
  );
}

/** Saves a chart as a picture that can stand by itself: with its title, its range and its legend. */
async function picture(u: uPlot, of: { id: string; title: string; about: string[]; keys: Key[] }): Promise<void> {
  const px = uPlot.pxRatio;
  const chart = u.ctx.canvas;
  const edge = 16 * px;
  const line = 22 * px;
  const out = document.createElement("canvas");
  const ctx = out.getContext("2d")!;
  out.width = chart.width + 2 * edge;
  ctx.font = font(13);
  // Where each word of the legend goes, in rows.
  let x = edge;
  let row = 0;
  const places = of.keys.map((k) => {
    const w = 38 * px + ctx.measureText(k.name).width + 14 * px;
    if (x + w > out.width - edge && x > edge) [x, row] = [edge, row + 1];
    const place = { x, row };
    x += w;
    return place;
  });
  const head = edge + line * (1 + of.about.length);
  out.height = head + chart.height + line * (row + 1) + edge;
  ctx.fillStyle = ink("card");
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.textBaseline = "middle";
  ctx.fillStyle = ink("ink");
  ctx.font = font(16, "bold");
  ctx.fillText(of.title, edge, edge + line / 2, out.width - 2 * edge);
  ctx.font = font(13);
  ctx.fillStyle = ink("soft");
  of.about.forEach((s, i) => ctx.fillText(s, edge, edge + line * (i + 1.5), out.width - 2 * edge));
  ctx.drawImage(chart, edge, head);
  of.keys.forEach((k, i) => {
    const at = places[i]!;
    const y = head + chart.height + line * (at.row + 0.5);
    ctx.fillStyle = ctx.strokeStyle = ink(k.color);
    ctx.lineWidth = 3 * px;
    ctx.setLineDash(k.kind === "dashed" ? [5 * px, 4 * px] : []);
    ctx.beginPath();
    if (k.kind === "band" || k.kind === "bar") ctx.fillRect(at.x, y - 6 * px, 24 * px, 12 * px);
    else if (k.kind === "hollow") ctx.arc(at.x + 12 * px, y, 4 * px, 0, 2 * Math.PI);
    else ctx.moveTo(at.x, y), ctx.lineTo(at.x + 24 * px, y);
    ctx.stroke();
    ctx.fillStyle = ink("ink");
    ctx.fillText(k.name, at.x + 32 * px, y);
  });
  const blob = await new Promise<Blob | null>((done) => out.toBlob(done, "image/png"));
  if (blob) save(blob, `${of.id}.png`);
}

/** Has the browser save a file. */
export function save(blob: Blob, name: string): void {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
}

/** A mark on the time line, by its number in the list below it. */
export interface Mark {
  date: string;
  name: string;
}

/** What the trend is of. */
export interface TrendOf {
  metric: Metric;
  by: Unit;
  periods: Period[];
  series: number;
  lastYear?: Period[] | undefined;
  goal: number | null;
  marks: Mark[];
  /** Of the same metric: only those have a place on the same axis. */
  earlier: EarlierSeries[];
}

/** A score in words, with how sure it is and of how many answers. */
export function figureText(m: Metric, f: Figures): string {
  const t = texts(words);
  if (hidden(f)) return t.under5;
  if (f.n === 0) return t.none;
  const margin = marginText(m, f);
  return `${scoreText(m, f)}${margin ? ` ${margin}` : ""} (${count(t.answers, f.n)}${f.tooFew ? `, ${t.tooFew}` : ""})`;
}

const unseen: uPlot.Series = { stroke: () => "transparent", width: 0, points: { show: false } };

function trend(of: TrendOf): Drawing {
  const t = texts(words);
  const { metric: m, by } = of;
  // One time line for all: a series that ended may have periods of its own.
  const at = new Map<string, { from: string; to: string }>();
  for (const p of [...of.periods, ...of.earlier.flatMap((e) => e.periods)]) if (!at.has(p.from)) at.set(p.from, { from: p.from, to: p.to });
  const periods = [...at.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
  const index = new Map(periods.map((p, i) => [p.from, i]));
  const column = (from: Period[], value: (f: Period) => number | null, place = (p: Period) => index.get(p.from)!) => {
    const out: (number | null)[] = new Array(periods.length).fill(null);
    for (const p of from) out[place(p)] = value(p);
    return out;
  };

  const data: (number | null)[][] = [periods.map(middle)];
  const series: uPlot.Series[] = [];
  const bands: uPlot.Band[] = [];
  const dots: { column: (number | null)[]; few: boolean[]; color: string }[] = [];
  const line = (color: string, width: number, dash?: number[]): uPlot.Series => ({ stroke: () => ink(color), width, ...(dash ? { dash } : {}), points: { show: false } });
  const banded = (p: Period[], color: string, width: number) => {
    const low = data.push(column(p, (f) => f.low)) - 1;
    data.push(column(p, (f) => f.high));
    const score = column(p, (f) => f.score);
    data.push(score);
    series.push({ ...unseen }, { ...unseen }, line(color, width));
    bands.push({ series: [low + 1, low], fill: () => ink("band") });
    const few = new Array<boolean>(periods.length).fill(false);
    for (const f of p) few[index.get(f.from)!] = f.tooFew;
    dots.push({ column: score, few, color });
  };
  const yearAgo = of.lastYear;
  const yearAt = new Map<number, Period>();
  if (yearAgo) {
    // By their order: a year before, a period may begin on another date.
    of.periods.forEach((p, i) => yearAgo[i] && yearAt.set(index.get(p.from)!, yearAgo[i]));
    data.push(periods.map((_, i) => yearAt.get(i)?.score ?? null));
    series.push(line("soft", 1.5, [5, 5]));
  }
  for (const e of of.earlier) banded(e.periods, "soft", 2);
  banded(of.periods, "accent", 2.5);

  const current = new Map(of.periods.map((p) => [index.get(p.from)!, p]));
  const ended = of.earlier.map((e) => ({ e, at: new Map(e.periods.map((p) => [index.get(p.from)!, p])) }));

  const under = (u: uPlot) => {
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - 14 * px, bbox.width, bbox.height + 14 * px);
    ctx.clip();
    if (of.goal !== null) {
      const y = u.valToPos(of.goal, "y", true);
      ctx.strokeStyle = ink("good");
      ctx.lineWidth = 1.5 * px;
      ctx.setLineDash([2 * px, 3 * px]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    // Where one series ends and the next one begins.
    const begins = [...of.earlier.slice(1).map((e) => ({ series: e.series, periods: e.periods })), { series: of.series, periods: of.periods }];
    of.earlier.forEach((e, i) => {
      const last = e.periods.filter((p) => p.n > 0).at(-1);
      const next = begins[i]!;
      const first = next.periods.find((p) => p.n > 0);
      if (!last || !first) return;
      const x = u.valToPos((day(last.to).getTime() + day(first.from).getTime()) / 2000, "x", true);
      ctx.strokeStyle = ctx.fillStyle = ink("soft");
      ctx.lineWidth = 1 * px;
      ctx.setLineDash([]);
      ctx.beginPath();
      for (const shift of [-2 * px, 2 * px]) {
        ctx.moveTo(x + shift, bbox.top);
        ctx.lineTo(x + shift, bbox.top + bbox.height);
      }
      ctx.stroke();
      ctx.font = font(12 * larger());
      ctx.textBaseline = "bottom";
      const label = fill(t.seriesBegins, { n: next.series });
      const right = x + 6 * px + ctx.measureText(label).width < bbox.left + bbox.width;
      ctx.textAlign = right ? "left" : "right";
      ctx.fillText(label, right ? x + 6 * px : x - 6 * px, bbox.top + bbox.height - 4 * px);
    });
    ctx.restore();
  };

  const over = (u: uPlot) => {
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    const room = bbox.width / periods.length / px;
    ctx.save();
    for (const d of dots) {
      d.column.forEach((y, i) => {
        if (y === null) return;
        const few = d.few[i];
        const alone = d.column[i - 1] == null && d.column[i + 1] == null;
        if (!few && !alone && room < 9) return;
        ctx.beginPath();
        ctx.arc(u.valToPos(data[0]![i]!, "x", true), u.valToPos(y, "y", true), (room < 9 ? 2 : 4) * px, 0, 2 * Math.PI);
        ctx.fillStyle = ink(few ? "card" : d.color);
        ctx.strokeStyle = ink(few ? "mid-fill" : d.color);
        ctx.lineWidth = (room < 9 ? 1 : 2) * px;
        ctx.fill();
        ctx.stroke();
      });
    }
    if (of.goal !== null) {
      const text = fill(t.goalIs, { goal: valueText(m, of.goal) });
      const [x, y] = [bbox.left + 4 * px, u.valToPos(of.goal, "y", true) - 3 * px];
      ctx.font = font(12 * larger());
      ctx.textAlign = "left";
      ctx.textBaseline = "bottom";
      ctx.strokeStyle = ink("card");
      ctx.lineWidth = 4 * px;
      ctx.strokeText(text, x, y);
      ctx.fillStyle = ink("good");
      ctx.fillText(text, x, y);
    }
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const mark of of.marks) {
      const x = u.valToPos(day(mark.date).getTime() / 1000, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = ink("ink");
      ctx.lineWidth = 1 * px;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top + 4 * px);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.arc(x, bbox.top - 4 * px, 9 * px, 0, 2 * Math.PI);
      ctx.fill();
      ctx.fillStyle = ink("card");
      ctx.font = font(11, "bold");
      ctx.fillText(mark.name, x, bbox.top - 3.5 * px);
    }
    ctx.restore();
  };

  const tip = (i: number): Tip => {
    const p = current.get(i);
    const lines: TipLine[] = [];
    if (p && (p.n !== 0 || !ended.some(({ at: e }) => e.has(i)))) lines.push({ name: t.score, value: figureText(m, p) });
    for (const { e, at: own } of ended) {
      const f = own.get(i);
      if (f && f.n !== 0) lines.push({ name: fill(t.seriesN, { n: e.series }), value: figureText(m, f) });
    }
    const before = yearAt.get(i);
    if (before && before.n !== 0) lines.push({ name: t.lastYear, value: figureText(m, before) });
    for (const mark of of.marks) if (mark.date >= periods[i]!.from && mark.date < periods[i]!.to) lines.push({ name: fill(t.markN, { n: mark.name }), value: "" });
    return { title: periodName(by, periods[i]!), lines };
  };

  return { data: data as unknown as uPlot.AlignedData, series, bands, range: limits(of, yearAgo), axis: (n) => shown(String(Math.round(n * 100) / 100)), periods, by, under, over, empty: !dots.some((d) => d.column.some((y) => y !== null)), tip };
}

/** The limits of the vertical axis: all scores and sure margins, and the goal, within what the metric can be. */
function limits(of: TrendOf, yearAgo: Period[] | undefined): [number, number] {
  const [least, most] = bounds(of.metric);
  let [low, high] = [Infinity, -Infinity];
  let seen = false;
  const see = (n: number | null) => {
    if (n !== null) [low, high] = [Math.min(low, n), Math.max(high, n)];
  };
  see(of.goal);
  for (const p of [...of.periods, ...(yearAgo ?? []), ...of.earlier.flatMap((e) => e.periods)]) {
    see(p.score);
    seen ||= p.score !== null;
    if (!p.tooFew) [p.low, p.high].forEach(see);
  }
  if (!seen) return [least, most];
  const edge = Math.max((high - low) * 0.08, (most - least) * 0.04);
  return [Math.max(least, low - edge), Math.min(most, high + edge)];
}

/** The score over time: its margin, last year's, the goal, and what happened. */
export function Trend(props: { id: string; title: string; about: string[]; of: TrendOf; annotations?: Annotation[]; children?: ComponentChildren }): VNode {
  const t = texts(words);
  const { of } = props;
  const drawing = useMemo(() => trend(of), [of, locale.value]);
  const keys: Key[] = [
    { name: of.earlier.length > 0 ? fill(t.seriesNow, { n: of.series }) : t.score, color: "accent", kind: "line" },
    { name: t.band, color: "band", kind: "band" },
    ...(of.lastYear ? [{ name: t.lastYear, color: "soft", kind: "dashed" } as Key] : []),
    ...of.earlier.map((e): Key => ({ name: fill(t.seriesN, { n: e.series }), color: "soft", kind: "line" })),
    ...(of.periods.some((p) => p.tooFew && p.n > 0) ? [{ name: t.tooFew, color: "mid-fill", kind: "hollow" } as Key] : []),
  ];
  const m = of.metric;
  const cell = (f: Period | undefined) => (f ? (hidden(f) ? t.under5 : scoreText(m, f)) : "");
  const table = () => (
    <table>
      <thead>
        <tr>
          <th scope="col">{t.period}</th>
          <th scope="col" class="number">{t.score}</th>
          <th scope="col" class="number">{t.margin}</th>
          <th scope="col" class="number">{t.n}</th>
          {of.lastYear && <th scope="col" class="number">{t.lastYear}</th>}
          <th scope="col" class="number">{t.rate}</th>
        </tr>
      </thead>
      <tbody>
        {of.earlier.flatMap((e) => e.periods.filter((p) => p.n !== 0).map((p) => row(p, fill(t.seriesN, { n: e.series }), undefined)))}
        {of.periods.map((p, i) => row(p, "", of.lastYear?.[i]))}
      </tbody>
    </table>
  );
  const row = (p: Period, series: string, before: Period | undefined) => (
    <tr key={series + p.from} class={p.tooFew ? "few" : ""}>
      <th scope="row">
        {periodName(of.by, p)} {series}
      </th>
      <td class="number">{cell(p)}</td>
      <td class="number">{marginText(m, p)}</td>
      <td class="number">{hidden(p) ? "" : number(p.n)}</td>
      {of.lastYear && <td class="number">{cell(before)}</td>}
      <td class="number">{hidden(p) ? "" : percent(p.rates.answeredOfDelivered)}</td>
    </tr>
  );
  return (
    <Charted id={props.id} title={props.title} about={props.about} keys={keys} drawing={drawing} table={table}>
      {props.children}
    </Charted>
  );
}

/** The categories of each period as shares of its answers, one on the other, the happiest at the bottom. */
function stacks(m: Metric, by: Unit, periods: Period[]): Drawing {
  const t = texts(words);
  const order = categories(m);
  const known = (p: Period) => !hidden(p) && p.n > 0;
  const tops = order.map((_, k) => periods.map((p) => (known(p) ? (100 * order.slice(0, k + 1).reduce((sum, c) => sum + (p.categories[c] ?? 0), 0)) / p.n : null)));
  const bars = uPlot.paths.bars!({ size: [0.82, 80], gap: 0 });
  const series = order.map((c): uPlot.Series => ({ paths: bars, fill: () => ink(`${tone(c)}-fill`), stroke: () => ink("card"), width: 0, points: { show: false } }));
  return {
    data: [periods.map(middle), ...tops.reverse()] as uPlot.AlignedData,
    series: series.reverse(),
    range: [0, 100],
    axis: (n) => percent(n, 0),
    periods,
    by,
    empty: !periods.some(known),
    tip: (i) => {
      const p = periods[i]!;
      if (!known(p)) return { title: periodName(by, p), lines: [{ name: hidden(p) ? t.under5 : t.none, value: "" }] };
      return { title: periodName(by, p), lines: [...order].reverse().map((c) => ({ name: categoryName(m, c), value: number(p.categories[c] ?? 0) })) };
    },
  };
}

/** Categories over time. Picking a part of a bar picks its category. */
export function Categories(props: { id: string; about: string[]; metric: Metric; by: Unit; periods: Period[]; legend?: VNode; onPick?: (category: string) => void }): VNode {
  const t = texts(words);
  const { metric: m, by, periods } = props;
  const drawing = useMemo(() => stacks(m, by, periods), [m, by, periods, locale.value]);
  const order = categories(m);
  const onPick = props.onPick;
  const pick = (i: number, value: number) => {
    const p = periods[i];
    if (!p || hidden(p) || p.n === 0 || value < 0) return;
    let sum = 0;
    const hit = order.find((c) => (100 * (sum += p.categories[c] ?? 0)) / p.n >= value);
    if (hit) onPick?.(hit);
  };
  const table = () => (
    <table>
      <thead>
        <tr>
          <th scope="col">{t.period}</th>
          {order.map((c) => (
            <th key={c} scope="col" class="number">
              {categoryName(m, c)}
            </th>
          ))}
          <th scope="col" class="number">{t.n}</th>
        </tr>
      </thead>
      <tbody>
        {periods.map((p) => (
          <tr key={p.from}>
            <th scope="row">{periodName(by, p)}</th>
            {order.map((c) => (
              <td key={c} class="number">
                {hidden(p) ? "" : number(p.categories[c] ?? 0)}
              </td>
            ))}
            <td class="number">{hidden(p) ? t.under5 : number(p.n)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
  return (
    <Charted
      id={props.id}
      kind="categories"
      title={t.categoriesOverTime}
      about={props.about}
      keys={order.map((c) => ({ name: categoryName(m, c), color: `${tone(c)}-fill`, kind: "bar" }))}
      drawing={drawing}
      table={table}
      {...(props.legend ? { legend: props.legend } : {})}
      {...(onPick ? { onPick: pick } : {})}
    />
  );
}

/** A series that is of another metric, and so on an axis of its own. */
export function EarlierTrend(props: { id: string; about: string[]; by: Unit; of: EarlierSeries; locales: string[] }): VNode {
  const t = texts(words);
  const { of, by } = props;
  const what = useMemo<TrendOf>(() => ({ metric: of.metric, by, periods: of.periods, series: of.series, goal: null, marks: [], earlier: [] }), [of, by]);
  return (
    <Trend id={props.id} title={fill(t.earlierOther, { n: of.series })} about={props.about} of={what}>
      <p class="soft">{own(of.question, props.locales)}</p>
    </Trend>
  );
}

// The fields of a form that changes a definition: each shows one value of it,
// and beside it which rules that breaks.
import { createContext, type ComponentChildren, type VNode } from "preact";
import { useContext, useState } from "preact/hooks";
import type { Text } from "./contract.ts";
import { at, localesOf, put, same, type Doc, type Path } from "./draft.ts";
import { fill, texts } from "./locale.ts";
import { languageName } from "./metric.ts";
import { ruleText, type Broken } from "./rules.ts";
import words from "./texts/fields.json";

export interface Form {
  doc: Doc;
  change: (edit: (doc: Doc) => Doc) => void;
  problems: Broken[];
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("a field without a form");
  return form;
}

/** The id of the control of a field. */
export function idOf(path: Path): string {
  return "field-" + path.replace(/\[.*$/, "").replace(/\./g, "-");
}

/** Brings whoever edits to the control of a field, or of what it belongs to. */
export function toField(path: Path): void {
  for (let p = path.replace(/\[.*$/, ""); p; p = p.includes(".") ? p.slice(0, p.lastIndexOf(".")) : "") {
    const control = document.getElementById(idOf(p));
    if (control) {
      control.focus();
      control.scrollIntoView({ block: "center" });
      return;
    }
  }
}

/** What is wrong with a field. Of a list it is what is wrong with its entries. */
function useProblems(covers: (field: Path) => boolean): Broken[] {
  return useForm().problems.filter((p) => covers(p.field.replace(/\[.*$/, "")));
}

function Wrong(props: { id: string; problems: Broken[] }): VNode | null {
  if (props.problems.length === 0) return null;
  return (
    <span class="wrong" id={props.id}>
      {props.problems.map((p, i) => {
        const { text, lang } = ruleText(p);
        return (
          <span key={i} lang={lang}>
            {text}
          </span>
        );
      })}
    </span>
  );
}

/** What describes a control: its hint, and what is wrong. */
function described(id: string, hint: boolean, problems: Broken[]) {
  const ids = [hint && `${id}-hint`, problems.length > 0 && `${id}-wrong`].filter(Boolean).join(" ");
  return { id, "aria-describedby": ids || undefined, "aria-invalid": problems.length > 0 || undefined };
}

function Hint(props: { id: string; children?: ComponentChildren }): VNode | null {
  if (!props.children) return null;
  return (
    <span class="hint" id={`${props.id}-hint`}>
      {props.children}
    </span>
  );
}

interface Common {
  path: Path;
  label: string;
  hint?: string | undefined;
}

/** Keeps what is typed as it is typed, while it means the value. */
function useTyped<T>(value: T, format: (v: T) => string, parse: (s: string) => T): [string, (s: string) => T] {
  const [typed, setTyped] = useState(format(value));
  const shown = same(parse(typed), value) ? typed : format(value);
  return [
    shown,
    (s) => {
      setTyped(s);
      return parse(s);
    },
  ];
}

function useValue(path: Path): [unknown, (v: unknown) => void] {
  const form = useForm();
  return [at(form.doc, path), (v) => form.change((d) => put(d, path, v))];
}

/** A number of the language; what is none is kept as it was written, for the rule to be told. */
function parseNumber(s: string): unknown {
  const t = s.trim().replace("−", "-").replace(",", ".");
  if (t === "") return undefined;
  return Number.isFinite(Number(t)) ? Number(t) : s.trim();
}

function formatNumber(v: unknown): string {
  if (v === undefined || v === null) return "";
  const comma = (1.5).toLocaleString(document.documentElement.lang || "en").charAt(1);
  return String(v).replace("-", "−").replace(".", comma);
}

/** A number, with its unit in the label. */
export function NumberField(props: Common): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const [text, typed] = useTyped(value, formatNumber, parseNumber);
  const id = idOf(props.path);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input type="text" inputMode="decimal" class="short" autoComplete="off" value={text} onInput={(e) => set(typed(e.currentTarget.value))} {...described(id, !!props.hint, problems)} />
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

const units = ["s", "m", "h", "d"] as const;

/** A length of time: a number and its unit. */
export function SpanField(props: Common & { unit: (typeof units)[number] }): VNode {
  const t = texts(words);
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const [unit, setUnit] = useState<string>(props.unit);
  const written = /^(.*?)([smhd])$/.exec(typeof value === "string" ? value : "");
  const now = written ? written[2]! : unit;
  const id = idOf(props.path);
  const write = (n: string, u: string) => set(n.trim() === "" ? undefined : n.trim() + u);
  return (
    <div class="field" role="group" aria-labelledby={`${id}-label`}>
      <label for={id} id={`${id}-label`}>
        {props.label}
      </label>
      <span class="span">
        <input type="text" inputMode="numeric" class="short" autoComplete="off" value={written ? written[1] : ""} onInput={(e) => write(e.currentTarget.value, now)} {...described(id, !!props.hint, problems)} />
        <select
          aria-label={fill(t.unitOf, { field: props.label })}
          value={now}
          onChange={(e) => {
            setUnit(e.currentTarget.value);
            if (written) write(written[1]!, e.currentTarget.value);
          }}
        >
          {units.map((u) => (
            <option key={u} value={u}>
              {t.units[u]}
            </option>
          ))}
        </select>
      </span>
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

/** A text that is the same in every language, such as an address. */
export function PlainField(props: Common & { type?: "text" | "url"; beside?: VNode }): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const id = idOf(props.path);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <span class="span">
        <input
          type="text"
          inputMode={props.type ?? "text"}
          autoComplete="off"
          spellcheck={false}
          value={value === undefined ? "" : String(value)}
          onInput={(e) => set(e.currentTarget.value === "" ? undefined : e.currentTarget.value)}
          {...described(id, !!props.hint, problems)}
        />
        {props.beside}
      </span>
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

/** A list or something like it, written in lines. */
export function LinesField(props: Common & { format?: (v: unknown) => string; parse?: (s: string) => unknown }): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path || f.startsWith(props.path + "."));
  const [text, typed] = useTyped(value, props.format ?? formatLines, props.parse ?? parseLines);
  const id = idOf(props.path);
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <textarea rows={Math.min(8, Math.max(2, text.split("\n").length))} spellcheck={false} value={text} onInput={(e) => set(typed(e.currentTarget.value))} {...described(id, !!props.hint, problems)} />
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

function formatLines(v: unknown): string {
  return Array.isArray(v) ? v.join("\n") : "";
}

function parseLines(s: string): unknown {
  const lines = s.split("\n").map((l) => l.trim()).filter(Boolean);
  return lines.length > 0 ? lines : undefined;
}

/** One of some values; "" stands for none. set is what choosing does, where it is more than writing the value. */
export function ChoiceField(props: Common & { options: [value: string, name: string][]; set?: (v: string) => void; value?: string; covers?: (field: Path) => boolean }): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path || !!props.covers?.(f));
  const id = idOf(props.path);
  const choose = props.set ?? ((v: string) => set(v === "" ? undefined : v));
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select value={props.value ?? (value === undefined ? "" : String(value))} onChange={(e) => choose(e.currentTarget.value)} {...described(id, !!props.hint, problems)}>
        {props.options.map(([v, name]) => (
          <option key={v} value={v}>
            {name}
          </option>
        ))}
      </select>
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

/** Yes or no. */
export function TickField(props: Common): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const id = idOf(props.path);
  return (
    <div class="field">
      <label class="tick">
        <input type="checkbox" checked={value === true} onChange={(e) => set(e.currentTarget.checked || undefined)} {...described(id, !!props.hint, problems)} />
        <span>{props.label}</span>
      </label>
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

/** Some of several values, kept in the order of the options. */
export function TicksField(props: Common & { options: [value: string, name: string][]; set?: (v: string[]) => void }): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const id = idOf(props.path);
  const write = props.set ?? ((v: string[]) => set(v.length > 0 ? v : undefined));
  const toggle = (v: string) => {
    if (chosen.includes(v)) write(chosen.filter((c) => c !== v));
    else write([...props.options.map(([o]) => o).filter((o) => o === v || chosen.includes(o)), ...chosen.filter((c) => !props.options.some(([o]) => o === c))]);
  };
  const { id: _, ...about } = described(id, !!props.hint, problems);
  return (
    <fieldset class="field ticks" id={id} tabIndex={-1} {...about}>
      <legend>{props.label}</legend>
      <div>
        {props.options.map(([v, name]) => (
          <label key={v} class="tick">
            <input type="checkbox" checked={chosen.includes(v)} onChange={() => toggle(v)} />
            <span>{name}</span>
          </label>
        ))}
      </div>
      <Hint id={id}>{props.hint}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </fieldset>
  );
}

/** A text in every language of the touchpoint, side by side. What is missing is told, with what is shown instead. */
export function TextsField(props: Common & { most: number; rows?: number; required?: boolean }): VNode {
  const t = texts(words);
  const form = useForm();
  const locales = localesOf(form.doc);
  const value = (at(form.doc, props.path) ?? {}) as Text;
  const id = idOf(props.path);
  const own = (f: Path) => f === props.path || (f.startsWith(props.path + ".") && !locales.includes(f.slice(props.path.length + 1)));
  const problems = useProblems(own);
  const fallback = locales.find((l) => value[l]);
  const { id: _, ...about } = described(id, true, problems);
  return (
    <fieldset class="field texts" id={id} tabIndex={-1} {...about}>
      <legend>{props.label}</legend>
      <span class="hint" id={`${id}-hint`}>
        {props.hint} {fill(t.most, { n: props.most })}
      </span>
      <div class="languages">
        {locales.map((l) => (
          <InLanguage key={l} path={`${props.path}.${l}`} locale={l} rows={props.rows ?? 1} missing={missing(l)} />
        ))}
      </div>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </fieldset>
  );

  function missing(l: string): string | null {
    if (value[l]) return null;
    if (fallback) return fill(t.missing, { language: languageName(fallback) });
    return props.required ? t.required : t.ours;
  }
}

function InLanguage(props: { path: Path; locale: string; rows: number; missing: string | null }): VNode {
  const [value, set] = useValue(props.path);
  const problems = useProblems((f) => f === props.path);
  const id = idOf(props.path);
  const all = {
    lang: props.locale,
    value: value === undefined ? "" : String(value),
    autoComplete: "off",
    onInput: (e: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => set(e.currentTarget.value === "" ? undefined : e.currentTarget.value),
    ...described(id, props.missing !== null, problems),
  };
  return (
    <div class="in">
      <label for={id}>{languageName(props.locale)}</label>
      {props.rows > 1 ? <textarea rows={props.rows} {...all} /> : <input type="text" {...all} />}
      <Hint id={id}>{props.missing}</Hint>
      <Wrong id={`${id}-wrong`} problems={problems} />
    </div>
  );
}

// Requests to the API, and data that keeps itself up to date.
import { signal, useComputed, useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { ApiError } from "./contract.ts";
import { forget, token } from "./signin.ts";

/** How often what is shown is asked for again, in milliseconds, while the page is visible. An answer that has not changed is a 304 without a body. */
const every = 8_000;

/** What went wrong: the status (0 where nothing was reached), and what the API says of it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** Whether the API was reached the last time. */
export const online = signal(navigator.onLine);
addEventListener("offline", () => (online.value = false));
/** When something was last heard from it. */
export const heard = signal<Date | null>(null);

interface Kept {
  etag: string;
  data: unknown;
}
const answers = new Map<string, Kept>();
const mostKept = 200;

async function send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<globalThis.Response> {
  if (!path.startsWith("/shared/")) {
    const bearer = await token();
    if (!bearer) throw new Problem(401, "unauthorized", "", "");
    headers = { ...headers, authorization: `Bearer ${bearer}` };
  }
  let answer: globalThis.Response;
  try {
    answer = await fetch(path, {
      method,
      cache: "no-store",
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    online.value = false;
    throw new Problem(0, "offline", "", "");
  }
  online.value = true;
  heard.value = new Date();
  if (answer.status === 401) forget();
  if (!answer.ok && answer.status !== 304) throw await problemIn(answer);
  return answer;
}

async function problemIn(answer: globalThis.Response): Promise<Problem> {
  try {
    const { error } = (await answer.json()) as ApiError;
    return new Problem(answer.status, error.code, error.field ?? "", error.message);
  } catch {
    return new Problem(answer.status, "", "", "");
  }
}

/** Reads a path; where the answer is still the one that was had, that very object. */
export async function get<T>(path: string): Promise<T> {
  const had = answers.get(path);
  const answer = await send("GET", path, had ? { "if-none-match": had.etag } : {});
  if (answer.status === 304 && had) return had.data as T;
  const data = (await answer.json()) as T;
  const etag = answer.headers.get("etag");
  if (etag) {
    answers.delete(path);
    answers.set(path, { etag, data });
    if (answers.size > mostKept) answers.delete(answers.keys().next().value!);
  }
  return data;
}

/** Makes a request that changes something; the answer's JSON, undefined where it has no content. */
export async function change<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, {}, body);
  changes.value++;
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Asks what takes more words than an address has: a POST that changes nothing. */
export async function ask<T>(path: string, body: unknown): Promise<T> {
  return (await (await send("POST", path, {}, body)).json()) as T;
}

/** Fetches a file, with the sign-in; the parts of it that follow by the header Link are for the caller. */
export function file(path: string): Promise<globalThis.Response> {
  return send("GET", path, {});
}

/** Counts what was changed from this page: what is shown is then asked for at once. */
const changes = signal(0);

/** Data that is shown: the last answer stays while a new one is fetched or cannot be had. */
export interface Live<T> {
  data: T | null;
  /** The path that data is the answer to. */
  of: string | null;
  /** Why there is no newer one; null where there is none to tell. */
  problem: Problem | null;
  loading: boolean;
  /** Whether data is the answer to another path than the one asked for now. */
  stale: boolean;
}

/** Keeps the answer to a path up to date, while the page is visible. The path may depend on signals; null asks for nothing. */
export function useLive<T>(path: () => string | null): ReadonlySignal<Live<T>> {
  const wanted = useComputed(path);
  const state = useSignal<Live<T>>({ data: null, of: null, problem: null, loading: true, stale: false });
  useSignalEffect(() => {
    const p = wanted.value;
    changes.value;
    let over = false;
    let timer = 0;
    const old = state.peek();
    if (p === null) {
      state.value = { data: null, of: null, problem: null, loading: false, stale: false };
      return;
    }
    const at = answers.get(p);
    state.value = at ? { data: at.data as T, of: p, problem: null, loading: true, stale: false } : { ...old, loading: true, stale: old.data !== null };
    const ask = async () => {
      clearTimeout(timer);
      try {
        const data = await get<T>(p);
        if (over) return;
        const now = state.peek();
        if (now.data !== data || now.loading || now.problem || now.stale) state.value = { data, of: p, problem: null, loading: false, stale: false };
      } catch (e) {
        if (over) return;
        const problem = e instanceof Problem ? e : new Problem(0, "failed", "", String(e));
        const now = state.peek();
        // What cannot be reached may come back; what is refused is not to be seen.
        const keep = problem.status === 0 || problem.status >= 500;
        state.value = { data: keep ? now.data : null, of: keep ? now.of : null, problem, loading: false, stale: keep && now.stale };
      }
      timer = window.setTimeout(again, every);
    };
    const again = () => {
      if (!document.hidden) void ask();
    };
    document.addEventListener("visibilitychange", again);
    addEventListener("online", again);
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", again);
      removeEventListener("online", again);
    };
  });
  return state;
}

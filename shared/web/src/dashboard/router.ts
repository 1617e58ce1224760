// The address is the state: every view, with its filters, has one.
import { signal } from "@preact/signals";

export interface Address {
  /** Without a slash at its end: /dashboard/t/shop-nps. */
  path: string;
  query: URLSearchParams;
}

function read(): Address {
  return { path: location.pathname.replace(/\/+$/, "") || "/", query: new URLSearchParams(location.search) };
}

/** How often the view has changed to another one: then the new one's heading takes the focus. */
export let moves = 0;

/** Where the page is. */
export const address = signal<Address>(read());

/** Goes to another view, or to the same one with other filters; replace where it is no step to come back to, as with each letter of what is typed. */
export function go(href: string, replace = false): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  const before = address.value.path;
  const now = read();
  if (now.path !== before) {
    moves++;
    scrollTo(0, 0);
  }
  address.value = now;
}

/** The address of the same view with other filters; "" or null removes one. */
export function withQuery(changes: Record<string, string | null>): string {
  const q = new URLSearchParams(address.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) q.set(name, value);
    else q.delete(name);
  }
  return hrefOf(address.value.path, q);
}

/** An address of a path and parameters. */
export function hrefOf(path: string, query: URLSearchParams | Record<string, string>): string {
  const q = new URLSearchParams(query).toString();
  return q ? `${path}?${q}` : path;
}

/** Has links of the page change the view, and nothing be loaded. */
export function listen(): void {
  addEventListener("popstate", () => {
    const now = read();
    if (now.path !== address.value.path) moves++;
    address.value = now;
  });
  addEventListener("click", (e) => {
    const a = e.target instanceof Element ? e.target.closest("a") : null;
    if (!a || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    if (a.target || a.hasAttribute("download") || a.origin !== location.origin || !/^\/(dashboard|s)(\/|$)/.test(a.pathname)) return;
    if (a.hash && a.pathname === location.pathname) return;
    e.preventDefault();
    go(a.href);
  });
}

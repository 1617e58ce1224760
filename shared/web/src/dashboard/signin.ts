// Signing in: authorization code with PKCE (RFC 6749, RFC 7636), at Amazon
// Cognito's endpoints. Tokens stay in this tab's session storage: closing the
// tab forgets them, and another tab signs in by the session that the sign-in
// page itself keeps.
import { signal } from "@preact/signals";
import type { Config } from "./contract.ts";
import { go } from "./router.ts";

interface Session {
  access: string;
  refresh: string;
  /** When the access token ends, in milliseconds since 1970. */
  expires: number;
  name: string;
}

const kept = "pulssi.session";
const pending = "pulssi.signin";
const here = "/dashboard/signin";

/** Who has signed in, by the name that the sign-in knows; null for nobody, undefined while that is being found out. */
export const user = signal<string | null | undefined>(undefined);

let config: Config;
let session: Session | null = null;
let renewing: Promise<string | null> | null = null;

/** Finds out whether somebody is signed in, and ends a sign-in that is under way. */
export async function start(): Promise<void> {
  const answer = await fetch("/dashboard/config.json");
  if (!answer.ok) throw new Error(`config: ${answer.status}`);
  config = (await answer.json()) as Config;
  const stored = sessionStorage.getItem(kept);
  if (stored) session = JSON.parse(stored) as Session;
  if (location.pathname === here) await arrive();
  user.value = session ? session.name : null;
}

function callback(): string {
  return location.origin + here;
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Leads to the sign-in page, and back to the view that is open now. */
export async function signIn(): Promise<void> {
  const verifier = random();
  const state = random();
  const back = location.pathname === here ? "/dashboard" : location.pathname + location.search;
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state, back }));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const q = new URLSearchParams({
    response_type: "code",
    client_id: config.client,
    redirect_uri: callback(),
    scope: config.scope,
    state,
    code_challenge: base64url(hash),
    code_challenge_method: "S256",
  });
  location.assign(`${config.signin}/oauth2/authorize?${q}`);
}

/** Takes the code that the sign-in page sent back. A state that is not ours is nobody's sign-in: it is dropped. */
async function arrive(): Promise<void> {
  const q = new URLSearchParams(location.search);
  const ours = JSON.parse(sessionStorage.getItem(pending) ?? "null") as { verifier: string; state: string; back: string } | null;
  sessionStorage.removeItem(pending);
  const code = q.get("code");
  if (ours && code && q.get("state") === ours.state) {
    await exchange({ grant_type: "authorization_code", code, redirect_uri: callback(), code_verifier: ours.verifier });
  }
  go(ours?.back ?? "/dashboard", true);
}

async function exchange(fields: Record<string, string>): Promise<void> {
  const answer = await fetch(`${config.signin}/oauth2/token`, { method: "POST", body: new URLSearchParams({ client_id: config.client, ...fields }) });
  if (!answer.ok) {
    if (answer.status < 500) forget();
    throw new Error(`sign-in: ${answer.status}`);
  }
  const t = (await answer.json()) as { access_token: string; refresh_token?: string; id_token?: string; expires_in: number };
  session = {
    access: t.access_token,
    refresh: t.refresh_token ?? session?.refresh ?? "",
    expires: Date.now() + t.expires_in * 1000,
    name: t.id_token ? nameIn(t.id_token) : (session?.name ?? ""),
  };
  sessionStorage.setItem(kept, JSON.stringify(session));
}

/** The name to show, from an ID token that came from the sign-in itself. */
function nameIn(idToken: string): string {
  const part = idToken.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as { name?: string; email?: string };
  return claims.name ?? claims.email ?? "";
}

/** A token that is good for a minute at least, renewed where needed; null where nobody is signed in. */
export async function token(): Promise<string | null> {
  if (!session) return null;
  if (session.expires - Date.now() > 60_000) return session.access;
  if (!session.refresh) {
    forget();
    return null;
  }
  renewing ??= exchange({ grant_type: "refresh_token", refresh_token: session.refresh })
    .then(() => session?.access ?? null)
    .finally(() => (renewing = null));
  return renewing;
}

/** Forgets the tokens: they are no longer taken. */
export function forget(): void {
  session = null;
  sessionStorage.removeItem(kept);
  user.value = null;
}

/** Signs out here and at the sign-in page. */
export function signOut(): void {
  forget();
  const q = new URLSearchParams({ client_id: config.client, logout_uri: `${location.origin}/dashboard` });
  location.assign(`${config.signin}/logout?${q}`);
}

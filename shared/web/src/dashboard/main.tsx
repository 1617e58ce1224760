// The dashboard: what is at each address, for whom.
import { render, type VNode } from "preact";
import { effect, signal } from "@preact/signals";
import { useLive } from "./api.ts";
import { Audit } from "./audit.tsx";
import type { Me } from "./contract.ts";
import { Layout, dress } from "./layout.tsx";
import { texts } from "./locale.ts";
import { MeContext, may } from "./me.ts";
import { Overview } from "./overview.tsx";
import { Loaded, Title, Trouble } from "./parts.tsx";
import { People } from "./people.tsx";
import { Person } from "./person.tsx";
import { address, listen } from "./router.ts";
import { Settings } from "./settings.tsx";
import { Shared } from "./shared.tsx";
import { Shares } from "./shares.tsx";
import { signIn, start, user } from "./signin.ts";
import { TouchpointSettings } from "./touchpoint-settings.tsx";
import { Touchpoint } from "./touchpoint.tsx";
import app from "./texts/app.json";

const failed = signal(false);

/** The page of an address, for who has signed in. */
function page(me: Me, path: string): VNode {
  const [, , area, id, ...rest] = path.split("/");
  const name = id === undefined ? undefined : decodeURIComponent(id);
  const missing = (
    <>
      <Title hidden>{texts(app).notFound}</Title>
      <Trouble problem={{ status: 404 }} />
    </>
  );
  if (rest.length > 0) return missing;
  switch (area) {
    case undefined:
      return <Overview />;
    case "t":
      return name ? <Touchpoint key={name} id={name} /> : missing;
    case "people":
      if (!may(me, "agent")) return missing;
      return name ? <Person key={name} id={name} /> : <People />;
    case "settings":
      return name ? <TouchpointSettings key={name} id={name} /> : <Settings />;
    case "audit":
      return may(me, "admin") && !name ? <Audit /> : missing;
    case "shares":
      return may(me, "agent") && !name ? <Shares /> : missing;
    default:
      return missing;
  }
}

function SignedIn(): VNode {
  const me = useLive<Me>(() => "/api/me");
  const known = me.value.data;
  return (
    <Layout me={known} waiting={known === null && me.value.problem === null}>
      <Loaded live={me} skeleton={<div />}>
        {(data) => (data.role === "" ? <NoGroup /> : <MeContext.Provider value={data}>{page(data, address.value.path)}</MeContext.Provider>)}
      </Loaded>
    </Layout>
  );
}

function NoGroup(): VNode {
  return <p class="note">{texts(app).noGroup}</p>;
}

function SignedOut(): VNode {
  const t = texts(app);
  return (
    <Layout me={null}>
      <section class="welcome">
        <Title>Pulssi</Title>
        <p>{t.signInAbout}</p>
        {failed.value && (
          <p class="note warn" role="alert">
            {t.signInFailed}
          </p>
        )}
        <p>
          <button type="button" class="main" onClick={() => void signIn()}>
            {t.signIn}
          </button>
        </p>
      </section>
    </Layout>
  );
}

function Dashboard(): VNode {
  const path = address.value.path;
  if (path.startsWith("/s/")) {
    const key = path.slice("/s/".length);
    return <Shared key={key} link={key} />;
  }
  if (user.value === undefined) {
    return (
      <Layout me={null} waiting>
        <div />
      </Layout>
    );
  }
  return user.value === null ? <SignedOut /> : <SignedIn />;
}

listen();
effect(dress);
render(<Dashboard />, document.getElementById("app")!);
if (!location.pathname.startsWith("/s/")) {
  start().catch(() => {
    failed.value = true;
    user.value = null;
  });
}

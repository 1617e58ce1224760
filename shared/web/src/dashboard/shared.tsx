import type { VNode } from "preact";
import { Layout } from "./layout.tsx";
import { Title } from "./parts.tsx";

export function Shared(props: { link: string }): VNode {
  return (
    <Layout me={null}>
      <Title>{props.link}</Title>
    </Layout>
  );
}

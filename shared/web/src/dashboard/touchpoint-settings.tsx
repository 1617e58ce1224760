import type { VNode } from "preact";
import { Title } from "./parts.tsx";

export function TouchpointSettings(props: { id: string }): VNode {
  return <Title>{props.id}</Title>;
}

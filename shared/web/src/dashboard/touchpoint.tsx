import type { VNode } from "preact";
import { Title } from "./parts.tsx";

export function Touchpoint(props: { id: string }): VNode {
  return <Title>{props.id}</Title>;
}

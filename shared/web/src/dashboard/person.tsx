import type { VNode } from "preact";
import { Title } from "./parts.tsx";

export function Person(props: { id: string }): VNode {
  return <Title>{props.id}</Title>;
}

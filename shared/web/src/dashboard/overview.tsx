import type { VNode } from "preact";
import { texts } from "./locale.ts";
import { Title } from "./parts.tsx";
import app from "./texts/app.json";

export function Overview(): VNode {
  return <Title>{texts(app).overview}</Title>;
}

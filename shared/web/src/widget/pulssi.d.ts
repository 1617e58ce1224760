// The types of the popup's one global, window.Pulssi. Copy this file into a
// TypeScript project, or take it from where the popup is served: /pulssi.d.ts.

declare global {
  interface Window {
    /** There once pulssi.js has run. */
    Pulssi?: Pulssi;
  }

  interface Pulssi {
    /**
     * Asks at a touchpoint, under the conditions that the touchpoint has: now
     * where they are met, else when they are, on this route or a later one. The
     * same touchpoint again replaces its options.
     */
    ask(touchpoint: string, options?: PulssiOptions): void;

    /** Closes the popup and gives up all that was asked. */
    stop(): void;

    /**
     * Says of each touchpoint why it does or does not show: "shown", "waiting"
     * (for its moment), "asked" (before, or dismissed), "path" (not on this
     * one), "views" (too few yet), "sample" (not in it), "gave way" (to another
     * popup, or to a change of route), or what the server or an error said.
     */
    debug(): Readonly<Record<string, string>>;
  }

  interface PulssiOptions {
    /** A reference of yours, such as an order number: at most 64 characters. */
    ref?: string;
    /** At most 10 attributes, names of at most 40 characters, values of 200. */
    attrs?: Record<string, string>;
    /** The language, such as "fi"; else that of the page, else the visitor's. */
    locale?: string;
  }
}

export {};

// What the vote function tells the popup (shared/popup), and what
// the two files of the popup tell each other. Times are in milliseconds.

/** Under which conditions the popup shows: GET /w/ID.json?part=when. */
export interface When {
  /** Why it never shows; nothing else is there then. */
  off?: string;
  /** A regular expression of the paths on which it shows. */
  path?: string;
  delay?: number;
  /** Per cent of the page. */
  scroll?: number;
  exit?: boolean;
  views?: number;
  /** Per cent of the visitors. */
  sample?: number;
}

/** What it shows, in one language: GET /w/ID.json?part=show&locale=fi. */
export interface Show {
  /** The lowest answer. */
  low: number;
  /** The category of each answer, from the lowest on. */
  answers: string[];
  shape: "numbers" | "stars" | "faces" | "thumbs";
  /** The drawing of each answer: a path of SVG on 32 by 32. None for numbers. */
  icons?: string[];
  place: "corner" | "bar" | "inline";
  target?: string;
  link?: string;
  /** The theme's, the ink on it, and those of lines in light and dark. */
  colors: [color: string, ink: string, light: string, dark: string];
  recontact: number;
  dismissed: number;
  locale: string;
  dir: "ltr" | "rtl";
  text: {
    question: string;
    low: string;
    high: string;
    /** The name of each answer, for those who hear it. */
    answers: string[];
    /** By category. */
    followup: Record<string, string>;
    thanks: string;
    send: string;
    close: string;
    more: string;
  };
}

/**
 * Reads a mark, after writing it where a value is given, in the storage of this
 * site, or of this tab. Where storage is blocked, marks last as long as the page.
 */
export type Keep = (key: string, value?: string | number | null, session?: boolean) => string | undefined;

/** A popup on the page. */
export interface Popup {
  host: Element;
  close(): void;
}

/** What the second file of the popup exports. */
export interface UI {
  /** Shows the popup. It throws where the page has no place for it. */
  show(base: string, touchpoint: string, show: Show, options: PulssiOptions, keep: Keep): Popup;
  /** Sends the votes again of which nobody knows that they arrived. */
  resend(): void;
}

// Types of the listening test's page; for the type checker only. Names in snake_case are fields of the HTTP API
// (listener_schemas.py).

type TrialSide = "x" | "a" | "b";
type Candidate = "a" | "b";
type TrialAnswer = "A+" | "A-" | "B-" | "B+" | "cant_tell";
type BySide<T> = Record<TrialSide, T>;

interface TestSection {
  heading: string;
  /** Markdown. */
  text: string;
}

interface TestTexts {
  title: string;
  language: string;
  sections: Record<string, TestSection>;
  labels: Record<string, string>;
}

interface ShownTrial {
  id: string;
  question: string;
  pass_number: number;
  /** In its pass, from 1. */
  number: number;
  count: number;
}

interface PracticeTrial {
  id: string;
  /** The candidate that is the same recording as X. */
  same: Candidate;
}

interface TestProgress {
  answered: number;
  total: number;
  trial: ShownTrial | null;
  ahead: ShownTrial | null;
}

interface TestSession {
  listener: string;
  texts: TestTexts;
  consented: boolean;
  /** Correct answers and rounds of the last headphone check. */
  headphones: [number, number] | null;
  practised: boolean;
  practice: PracticeTrial[];
  progress: TestProgress;
}

interface GivenAnswer {
  answer: TrialAnswer;
  /** Seconds. */
  heard: BySide<number>;
  switches: number;
  seconds: number;
}

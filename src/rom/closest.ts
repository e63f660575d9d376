/** What somebody meant who wrote something else. */
import { closestMatch } from "leven";

/** Nobody misspells at greater length, and comparing takes time. */
const LONGEST = 64;

/** The one of `words` that `text` was meant to be, as far as can be guessed: the same but for case, else with few letters wrong. */
export function closest(text: string, words: readonly string[]): string | undefined {
  if (text.length > LONGEST) return undefined;
  const lower = text.toLowerCase();
  // A third of three letters is one, and of four still has to be two: `tpye`.
  const maxDistance = text.length < 4 ? 1 : Math.max(2, Math.floor(text.length / 3));
  const near = closestMatch(
    lower,
    words.map((word) => word.toLowerCase()),
    { maxDistance },
  );
  return words.find((word) => word.toLowerCase() === near);
}

/** The end of a message: `words` that would have been right, and the one that was meant. */
export function meant(text: string, words: readonly string[]): string {
  const word = closest(text, words);
  return word === undefined ? "" : ` Did you mean ${word}?`;
}

const FIRST = "able bold calm deep early fair glad happy ideal jolly keen loyal mild neat open plain quick ready sunny tidy vivid warm young".split(" ");
const SECOND = "amber beach cedar daisy eagle fjord grove heron inlet juniper kelp lemon maple north olive pebble quartz river stone thyme umber willow".split(" ");

/** A new name for a job, as the command line makes them. */
export function createName(random: () => number = Math.random): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)];
  const tail = Array.from({ length: 10 }, () => "abcdefghijklmnopqrstuvwxyz0123456789"[Math.floor(random() * 36)]).join("");
  return `${pick(FIRST)}_${pick(SECOND)}_${tail}`;
}

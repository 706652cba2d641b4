import { useEffect, useState } from "react";
import { onThemeChange } from "./theme";

/** Counts the changes of the theme: what draws in colours of its own draws again. */
export function useThemeCount(): number {
  const [count, setCount] = useState(0);
  useEffect(() => onThemeChange(() => setCount((before) => before + 1)), []);
  return count;
}

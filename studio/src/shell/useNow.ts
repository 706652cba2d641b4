import { useEffect, useState } from "react";

/** The time in seconds, renewed every `seconds` while `isRunning`. */
export function useNow(seconds: number, isRunning = true): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    setNow(Date.now() / 1000);
    if (!isRunning) return;
    const timer = setInterval(() => setNow(Date.now() / 1000), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds, isRunning]);
  return now;
}

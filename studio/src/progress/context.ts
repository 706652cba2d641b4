import { createContext, useContext } from "react";
import type { Progress } from "../api/details";

/** How far the steps of a job's page are, by job. */
export const ProgressOfSteps = createContext<Record<string, Progress>>({});

export const useProgressOf = (job: string | undefined): Progress | undefined => useContext(ProgressOfSteps)[job ?? ""];

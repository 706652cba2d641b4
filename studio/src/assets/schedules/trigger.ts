export interface Trigger {
  triggerType?: string;
  expression?: string;
  frequency?: string;
  interval?: number;
  schedule?: { hours?: number[]; minutes?: number[]; weekDays?: string[] | null; monthDays?: number[] | null } | null;
  timeZone?: string;
  startTime?: string | null;
  endTime?: string | null;
}

export interface Tick {
  time: string;
  cause: string;
  status: string;
  until?: string;
  count?: number;
  job?: string;
  late?: number;
  changed?: string;
  reason?: string;
}

export interface ScheduleProperties {
  displayName?: string;
  description?: string | null;
  tags?: Record<string, string>;
  isEnabled?: boolean;
  trigger?: Trigger;
  action?: { actionType?: string; jobDefinition?: Record<string, unknown>; endpointInvocationDefinition?: Record<string, unknown> };
  nextTimes?: string[];
  lastTicks?: Tick[];
}

/** When a schedule is due, in a few words. */
export function describeTrigger(trigger: Trigger | undefined): string {
  if (!trigger) return "";
  const zone = trigger.timeZone && trigger.timeZone !== "UTC" ? ` (${trigger.timeZone})` : "";
  if (trigger.expression) return `${trigger.expression}${zone}`;
  if (!trigger.frequency) return "";
  const unit = trigger.frequency.toLowerCase();
  const every = (trigger.interval ?? 1) === 1 ? `every ${unit}` : `every ${trigger.interval} ${unit}s`;
  const { hours = [], minutes = [], weekDays, monthDays } = trigger.schedule ?? {};
  const days = [...(weekDays ?? []), ...(monthDays ?? []).map(String)].join(", ");
  const times = hours.flatMap((hour) => (minutes.length ? minutes : [0]).map((minute) => `${pad(hour)}:${pad(minute)}`)).join(", ");
  return [every, days && `on ${days}`, times && `at ${times}`].filter(Boolean).join(" ") + zone;
}

/** The job that a schedule makes: its name where it has one, and what it runs. */
export function describeJob(job: Record<string, unknown> | undefined): string {
  if (!job) return "a job";
  const type = String(job.jobType ?? "").toLowerCase();
  const noun = `a ${type ? `${type} ` : ""}job`;
  const name = job.displayName || job.experimentName;
  if (name) return `${noun}: ${name}`;
  const steps = Object.keys((job.jobs as object | undefined) ?? {});
  if (steps.length) return `${noun} of the steps ${steps.join(", ")}`;
  return typeof job.command === "string" ? `${noun}: ${job.command}` : noun;
}

const pad = (value: number): string => String(value).padStart(2, "0");

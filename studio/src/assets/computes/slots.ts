export interface Holder {
  job: string;
  label: string;
  root: string;
  workspace: string;
  folder: string;
  status: string;
  cpus: number;
  gpus: string[];
  since: number | null;
}

export interface ComputeSlots {
  name: string;
  /** null for a compute that queues by itself. */
  cpus: number | null;
  gpus: string[];
  waiting: number;
  held: number;
  holders: Holder[];
}

/** The slots of a compute; a name that has none of its own is this machine, which is the first. */
export function findSlots(all: ComputeSlots[], name: string): ComputeSlots | undefined {
  return all.find((one) => one.name.toLowerCase() === name.toLowerCase()) ?? all[0];
}

/** The number of CPUs' slots that jobs hold. */
export const countHeld = (slots: ComputeSlots): number => slots.holders.reduce((sum, holder) => sum + holder.cpus, 0);

/** Where a long step is; bytes count within it, `totalBytes` is null while it is not known. */
export interface StepDetail {
  readonly text: string;
  readonly doneBytes?: number;
  readonly totalBytes?: number | null;
}

/** How provisioning tells what it does; the CLI draws it live, as lines, or as JSON events. */
export interface Progress {
  /** Runs one step of a longer work; the step failed when `work` throws. */
  step<Result>(
    title: string,
    work: (report: (detail: StepDetail) => void) => Promise<Result>,
  ): Promise<Result>;
  /** Something worth knowing that is no step. */
  note(text: string): void;
}

/** Says nothing. */
export const silent: Progress = {
  step: (_title, work) => work(() => {}),
  note: () => {},
};

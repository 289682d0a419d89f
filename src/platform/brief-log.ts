/** As much of a log as visits need: they are answered before the real one is loaded. */
export interface BriefLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  fatal(facts: object, message: string): void;
}

/** A log that says everything as soon as `log` is there. */
export function lateLog(log: Promise<BriefLog>): BriefLog {
  const say = (level: keyof BriefLog) => (facts: object, message: string) =>
    void log.then((loaded) => loaded[level](facts, message));
  return { warn: say("warn"), error: say("error"), fatal: say("fatal") };
}

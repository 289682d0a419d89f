import type { Command } from "./command.ts";
import { migrate } from "./migrate.ts";
import { poolAdd, poolList, poolShow, poolUpdate } from "./pool.ts";
import { sandbox } from "./sandbox.ts";

/** Every command, in the order in which the help lists them. */
export const COMMANDS: readonly Command[] = [migrate, poolAdd, poolList, poolShow, poolUpdate, sandbox];

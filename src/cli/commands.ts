import { apiKeyAdd, apiKeyList, apiKeyRevoke } from "./api-key.ts";
import { botAdd, botConnect, botList, botRemove, botShow, botUpdate } from "./bot.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { migrate } from "./migrate.ts";
import { move } from "./move.ts";
import { offerAdd, offerList, offerRemove, offerShow, offerUpdate } from "./offer.ts";
import { outboxList, outboxRoutes, outboxShow, outboxStatusCommand } from "./outbox.ts";
import { outboxDiscard, outboxPause, outboxResume, outboxRetry } from "./outbox-change.ts";
import { poolAdd, poolList, poolRemove, poolShow, poolUpdate } from "./pool.ts";
import { privacyErase } from "./privacy.ts";
import { sandbox } from "./sandbox.ts";
import { paymentShow, sessionShow } from "./visitor.ts";

/** Every command, in the order in which the help lists them. */
export const COMMANDS: readonly Command[] = [
  migrate,
  move,
  poolAdd,
  poolList,
  poolShow,
  poolUpdate,
  poolRemove,
  botAdd,
  botList,
  botShow,
  botUpdate,
  botConnect,
  botRemove,
  offerAdd,
  offerList,
  offerShow,
  offerUpdate,
  offerRemove,
  outboxStatusCommand,
  outboxRoutes,
  outboxList,
  outboxShow,
  outboxRetry,
  outboxDiscard,
  outboxPause,
  outboxResume,
  sessionShow,
  paymentShow,
  privacyErase,
  doctor,
  apiKeyAdd,
  apiKeyList,
  apiKeyRevoke,
  sandbox,
];

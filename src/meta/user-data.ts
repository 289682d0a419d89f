import { ParamBuilder, PII_DATA_TYPE, type PiiDataType } from "capi-param-builder-nodejs";
import { sha256Hex } from "../platform/digests.ts";
import { goodBrowserIds } from "./browser-ids.ts";
import { publicClientIp } from "./client-ip.ts";
import { externalIdDigest, isSha256Hex } from "./digest.ts";
import type { UserData } from "./event.ts";

/** A customer as Ponte stores them: digests under Meta's names, nothing that reads as a person. */
export type HashedCustomer = Pick<UserData, "em" | "ph" | "fn" | "ln">;

/** A customer as the provider or the operator names them: plain values, digests of them, or digests made here before. */
export interface Customer extends HashedCustomer {
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

/** What is known of a person when an event is built. */
export interface UserDataInput {
  /** Hashed here; see {@link externalIdDigest}. */
  readonly externalId: string | null;
  readonly fbp: string | null;
  readonly fbc: string | null;
  readonly clientIp: string | null;
  readonly clientUserAgent: string | null;
  /** Plain values are hashed here; what {@link hashedCustomer} gave passes as it is. */
  readonly customer?: Customer | undefined;
}

/**
 * Longer than any real e-mail address (254), phone number or name. What is longer is left out, because Meta's e-mail
 * pattern takes quadratic time on hostile input.
 */
const LONGEST_PII = 320;

// Stateless for hashing: the builder keeps state only of requests it is asked to process.
const metaNormaliser = new ParamBuilder();

/**
 * Meta's `user_data` for one event: personal data normalised by Meta's own library and hashed, browser identifiers
 * plain. Left out: what normalises to nothing, malformed `fbc`/`fbp`, addresses that are not public. Never throws.
 */
export function userData(input: UserDataInput): UserData {
  const externalId = externalIdDigest(input.externalId);
  const clientIp = publicClientIp(input.clientIp);
  const userAgent = input.clientUserAgent?.trim();
  const { customer } = input;
  return {
    ...(customer === undefined ? null : hashedCustomer(customer)),
    ...(externalId === null ? null : { external_id: externalId }),
    ...(clientIp === null ? null : { client_ip_address: clientIp }),
    ...(userAgent ? { client_user_agent: userAgent } : null),
    ...goodBrowserIds(input),
  };
}

/**
 * Hashes a customer's personal data on arrival, so that no database, log or backup ever holds it plain. A phone number
 * must carry its country code to match (Meta compares digits). Hashing twice changes nothing.
 */
export function hashedCustomer(customer: Customer): HashedCustomer {
  const em = readyDigest(customer.em) ?? piiDigest(customer.email, PII_DATA_TYPE.EMAIL);
  const ph = readyDigest(customer.ph) ?? piiDigest(customer.phone, PII_DATA_TYPE.PHONE);
  const fn = readyDigest(customer.fn) ?? piiDigest(customer.firstName, PII_DATA_TYPE.FIRST_NAME);
  const ln = readyDigest(customer.ln) ?? piiDigest(customer.lastName, PII_DATA_TYPE.LAST_NAME);
  return {
    ...(em === null ? null : { em }),
    ...(ph === null ? null : { ph }),
    ...(fn === null ? null : { fn }),
    ...(ln === null ? null : { ln }),
  };
}

/**
 * An e-mail address; a phone number with its country code, however it is set out; or as many digits as a phone or a tax
 * number (a CPF has eleven) has, set out as one, or more of them than a Telegram user id.
 */
const READS_AS_PERSON =
  /@|^\+[\s().-]*(?:\d[\s().-]*){8,15}$|^(?=.*[\s()./-])[(\s]*\d(?:[\s()./-]*\d){9,14}$|^\d{11,15}$/;

/**
 * The operator's id of a customer as it is stored: shops that know customers by e-mail or phone hand over personal
 * data, so of those only the digest is kept that Meta is given as `external_id` anyway.
 */
export function storedCustomerId(id: string): string {
  return READS_AS_PERSON.test(id.trim()) ? sha256Hex(id.trim()) : id;
}

function readyDigest(value: string | undefined): string | null {
  return value !== undefined && isSha256Hex(value) ? value.toLowerCase() : null;
}

/**
 * The bare digest: Meta's library appends `.<its own version>`, which would keep equal people from joining (and from
 * being erased). It also passes an MD5 through as if it were an answer; Meta takes SHA-256 only, so that is left out.
 */
function piiDigest(value: string | null | undefined, type: PiiDataType): string | null {
  // Some systems write an accent as a character of its own, which gives another digest.
  const text = value?.trim().normalize("NFC");
  if (!text || text.length > LONGEST_PII) return null;
  const hashed = metaNormaliser.getNormalizedAndHashedPII(text, type);
  if (hashed === null) return null;
  const end = hashed.lastIndexOf(".");
  return readyDigest(end === -1 ? hashed : hashed.slice(0, end));
}

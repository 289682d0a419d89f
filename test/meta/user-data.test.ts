import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { externalIdDigest } from "../../src/meta/digest.ts";
import {
  type Customer,
  hashedCustomer,
  storedCustomerId,
  type UserDataInput,
  userData,
} from "../../src/meta/user-data.ts";
import { userDataFault } from "../../src/meta/user-data-faults.ts";
import { userDataProblem } from "../../src/sandbox/meta-user-data.ts";
import { sha256 } from "./builders.ts";

const NOTHING: UserDataInput = {
  externalId: null,
  fbp: null,
  fbc: null,
  clientIp: null,
  clientUserAgent: null,
};

describe("user_data", () => {
  test("holds digests of the person and the browser's identifiers plain", async () => {
    const data = userData({
      externalId: "cliente-17",
      fbp: "fb.1.1778414400000.1234567890",
      fbc: "fb.1.1778414400000.IwAR3xAbC",
      clientIp: "201.17.3.4",
      clientUserAgent: "Mozilla/5.0",
      customer: {
        email: " Maria.Silva@Example.COM ",
        phone: "+55 (11) 98765-4321",
        firstName: " María ",
        lastName: "da Silva",
      },
    });
    expect(data).toEqual({
      em: await sha256("maria.silva@example.com"),
      ph: await sha256("5511987654321"),
      fn: await sha256("maría"),
      ln: await sha256("dasilva"),
      external_id: await sha256("cliente-17"),
      client_ip_address: "201.17.3.4",
      client_user_agent: "Mozilla/5.0",
      fbc: "fb.1.1778414400000.IwAR3xAbC",
      fbp: "fb.1.1778414400000.1234567890",
    });
  });

  test("is the same for a letter however its accent is written", () => {
    const inTwo = "João".normalize("NFD");
    expect(hashedCustomer({ firstName: inTwo })).toEqual(hashedCustomer({ firstName: "João" }));
  });

  test("is empty where nothing is known", () => {
    expect(userData(NOTHING)).toEqual({});
    expect(
      userData({ ...NOTHING, externalId: "  ", clientIp: "", clientUserAgent: " ", customer: {} }),
    ).toEqual({});
  });

  test("leaves out what normalises to nothing", () => {
    const customer = { email: "not an address", phone: "call me", firstName: "...", lastName: " " };
    expect(userData({ ...NOTHING, customer })).toEqual({});
  });

  test("leaves out an MD5 that Meta's library would pass as a finished digest", () => {
    const md5 = "d41d8cd98f00b204e9800998ecf8427e";
    expect(hashedCustomer({ email: md5, phone: md5, firstName: `${md5}.BA` })).toEqual({});
  });

  test("leaves out values longer than any person's", () => {
    const email = `a@${"a".repeat(200_000)}`;
    expect(hashedCustomer({ email, firstName: "x".repeat(1000) })).toEqual({});
  });

  test.each(["1234567890", "fb.1.1778414400000", "fb.x.1.a", "fb.1.1.a b", "", "FB.1.1.a"])(
    "leaves out the malformed browser id %p",
    (id) => {
      expect(userData({ ...NOTHING, fbc: id, fbp: id })).toEqual({});
    },
  );

  test("holds browser ids that Meta takes and no others, and the check before sending names those", () => {
    const id = fc
      .tuple(
        fc.stringMatching(/^\d{0,3}$/),
        fc.oneof(fc.stringMatching(/^\d{9,17}$/), fc.constant("1778414400000")),
        fc.oneof(
          fc.stringMatching(/^\d{0,20}$/),
          fc.string({ maxLength: 5 }),
          fc.stringMatching(/^[\w-]{1,30}$/),
        ),
        fc.constantFrom("", ".AQ", ".AQYBAQAB", ".AQYBAQAB.AQ", ".A", ".AQYB"),
      )
      .map(([index, ms, value, appendix]) => `fb.${index}.${ms}.${value}${appendix}`);
    fc.assert(
      fc.property(id, id, (fbc, fbp) => {
        const known = { external_id: "a".repeat(64), client_user_agent: "Mozilla/5.0" };
        expect(userDataProblem({ ...known, ...userData({ ...NOTHING, fbc, fbp }) })).toBeNull();
        for (const user_data of [
          { ...known, fbc },
          { ...known, fbp },
        ]) {
          if (userDataProblem(user_data) !== null)
            expect(userDataFault({ user_data })).toMatch(/user_data\.fb[cp]/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("leaves out browser ids whose appendix is of another length than the param builder's", () => {
    for (const appendix of ["A", "AQY", "AQYBAQA", "AQYBAQABA"]) {
      const [fbc, fbp] = [`fb.1.1778414400000.IwAR3.${appendix}`, `fb.1.1778414400000.123.${appendix}`];
      expect(userData({ ...NOTHING, fbc, fbp })).toEqual({});
    }
  });

  test("keeps an fbc with the param builder's appendix, its case untouched", () => {
    const fbc = "fb.1.1778414400000.IwAR3xAbC_d-E.AQQCAQMC";
    expect(userData({ ...NOTHING, fbc })).toEqual({ fbc });
  });

  test("takes a digest made elsewhere, in lower case", async () => {
    const digest = await sha256("maria@example.com");
    expect(hashedCustomer({ email: ` ${digest.toUpperCase()} ` })).toEqual({ em: digest });
  });

  test("hashing a hashed customer again changes nothing", () => {
    const once = hashedCustomer({ email: "maria@example.com", phone: "5511987654321", firstName: "Maria" });
    expect(hashedCustomer(once)).toEqual(once);
    expect(userData({ ...NOTHING, customer: once })).toEqual(once);
  });

  test("a customer read back from a JSON column is taken as it is, and what is no digest is not", async () => {
    const em = await sha256("maria@example.com");
    const row: Readonly<Record<string, string>> = { em, ph: "5511987654321", other: "x" };
    expect(hashedCustomer(row)).toEqual({ em });
  });

  test("never has an empty or null key, and its digests are 64 lower-case hex digits", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.emailAddress(),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF. +-"), maxLength: 70 }),
      fc.constantFrom(
        "a".repeat(64),
        "A".repeat(32),
        `${"b".repeat(64)}.BA`,
        `${"C".repeat(32)}.AQQCAQMC`,
        "\ud800",
      ),
    );
    const maybe = fc.option(text);
    const customer: fc.Arbitrary<Customer> = fc.record({
      email: maybe,
      phone: maybe,
      firstName: maybe,
      lastName: maybe,
    });
    const input = fc.record({
      externalId: maybe,
      fbp: maybe,
      fbc: maybe,
      clientIp: fc.oneof(maybe, fc.ipV4(), fc.ipV6()),
      clientUserAgent: maybe,
      customer,
    });
    fc.assert(
      fc.property(input, (facts) => {
        const data = userData(facts);
        for (const [key, value] of Object.entries(data)) {
          expect(value).toBeString();
          expect(value.trim()).not.toBe("");
          if (["em", "ph", "fn", "ln", "external_id"].includes(key)) expect(value).toMatch(/^[0-9a-f]{64}$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("an operator's id of a customer, as it is stored", () => {
  test.each([
    "+5511987654321",
    "+38640123",
    "+55 (11) 98765-4321",
    "+55 11 98765 4321",
    "5511987654321",
    "(11) 3876-5432",
    "123.456.789-09",
    "12345678909",
    "12.345.678/0001-95",
    " ana@example.com ",
  ])("is a digest where it reads as a person: %s", async (id) => {
    expect(storedCustomerId(id)).toBe(await sha256(id.trim()));
  });

  test.each([
    "cliente-17",
    "4815162342",
    "91234-5678",
    "+5511987",
    "+55",
    "55 11 98765 4321 x",
    "2026-0017",
    "order 12345",
  ])("is kept where it does not: %s", (id) => {
    expect(storedCustomerId(id)).toBe(id);
  });
});

describe("external_id", () => {
  test("is the digest of the exact value, trimmed, its case kept", async () => {
    expect(externalIdDigest(" IwAR3xAbC ")).toBe(await sha256("IwAR3xAbC"));
    expect(externalIdDigest("IwAR3xAbC")).not.toBe(externalIdDigest("iwar3xabc"));
    expect(externalIdDigest("Ação 😀")).toBe(await sha256("Ação 😀"));
    const digest = await sha256("IwAR3xAbC");
    expect(externalIdDigest(digest.toUpperCase())).toBe(digest);
  });

  test("hashes an MD5 too: 32 hex digits are not a finished digest", async () => {
    const md5 = "d41d8cd98f00b204e9800998ecf8427e";
    expect(externalIdDigest(md5)).toBe(await sha256(md5));
  });

  test("lets a SHA-256 digest pass in lower case", async () => {
    const digest = await sha256("cliente-17");
    expect(externalIdDigest(digest.toUpperCase())).toBe(digest);
  });
});

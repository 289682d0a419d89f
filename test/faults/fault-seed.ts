/** Of a test's random choices: `FAULT_SEED` repeats a run; without it each run is another one. Either way it is printed. */
export function faultSeed(): number {
  const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1e9));
  console.log(`FAULT_SEED=${seed}`);
  return seed;
}

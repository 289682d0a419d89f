import { Counter, Gauge, type Registry } from "prom-client";

/** What runs here. */
export interface Build {
  readonly version: string;
  readonly role: string;
}

/** What the process itself needs, and what it is, under Prometheus' usual names. */
export function addProcess(registry: Registry, build: Build): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const startedSeconds = (Date.now() - process.uptime() * 1000) / 1000;
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  gauge("process_start_time_seconds", "Start of the process, Unix time.", () => startedSeconds);
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "ponte_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "role"],
    registers: [registry],
  }).set({ version: build.version, role: build.role }, 1);
}

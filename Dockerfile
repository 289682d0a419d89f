FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock ./
COPY patches patches
RUN bun install --frozen-lockfile --production

# In the same folder as below: the program knows by whole paths where its files are.
FROM packages AS program
COPY tsconfig.json ./
COPY src src
COPY views views
COPY drizzle drizzle
COPY scripts/build.ts scripts/build.ts
RUN bun run build

FROM oven/bun:1.4.5-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=packages /app/node_modules node_modules
COPY --from=program /app/dist dist
COPY package.json tsconfig.json ./
COPY src src
COPY views views
COPY drizzle drizzle
# The SQLite file, the spool and the generated secret live here; the spool matters on Postgres too.
RUN mkdir data && chown bun:bun data
VOLUME /app/data
USER bun
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["bun", "-e", "process.exit((await fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/healthz`)).ok ? 0 : 1)"]
# Not `bun run start`, which makes it anew where a source is newer.
CMD ["dist/ponte"]

# The server. Build: docker build -t roost .   Run: docker run -p 8000:8000 -v roost:/data roost
FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
COPY patches patches
RUN bun install --frozen-lockfile --production

FROM oven/bun:1.4.5-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY drizzle drizzle
COPY src src
RUN mkdir /data && chown bun:bun /data
USER bun
ENV DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["bun", "-e", "process.exit((await fetch(`http://127.0.0.1:${process.env.PORT ?? 8000}/health`)).ok ? 0 : 1)"]
# Not through `bun start`: signals reach the server itself, so that it drains.
CMD ["bun", "src/main.ts"]
